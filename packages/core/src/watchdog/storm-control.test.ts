import { expect, test } from 'vitest';
import { StormControl } from './storm-control.ts';

test('the same hang again and again is let through three times, then once a minute, and what is held back is said', () => {
  const storm = new StormControl(0);
  const admitted = Array.from({ length: 10 }, (_, i) => storm.admit('a', 5, i));
  expect(admitted.filter(Boolean)).toHaveLength(3);
  expect(storm.takeSuppressed()).toEqual({ dumps: 7, requests: 35 });
  expect(storm.takeSuppressed()).toEqual({ dumps: 0, requests: 0 });
  expect(storm.admit('a', 1, 60_010)).toBe(true);
  expect(storm.admit('a', 1, 60_020)).toBe(false);
});

test('a storm of different hangs is limited as a whole', () => {
  const storm = new StormControl(0);
  const admitted = Array.from({ length: 500 }, (_, i) => storm.admit(`group ${i}`, 1, 0));
  expect(admitted.filter(Boolean)).toHaveLength(20);
  expect(storm.admit('one more', 1, 3_000)).toBe(true);
  expect(storm.admit('and another', 1, 3_000)).toBe(false);
  expect(storm.takeSuppressed()).toEqual({ dumps: 481, requests: 481 });
});

test('a group in its limit costs the others nothing', () => {
  const storm = new StormControl(0);
  for (let i = 0; i < 100; i++) storm.admit('loud', 1, 0);
  expect(storm.admit('quiet', 1, 0)).toBe(true);
});

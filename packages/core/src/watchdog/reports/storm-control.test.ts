import { expect, test } from 'vitest';
import { StormControl } from './storm-control.ts';

test('the same hang again and again is let through three times, then once a minute, and what is held back is said', () => {
  const storm = new StormControl(0);
  const admitted = Array.from({ length: 10 }, (_, i) => storm.admit(['a'], 5, i));
  expect(admitted.filter((each) => each === 'go')).toHaveLength(3);
  expect(admitted.at(-1)).toBe('known');
  expect(storm.takeSuppressed()).toEqual({ dumps: 7, requests: 35 });
  expect(storm.takeSuppressed()).toEqual({ dumps: 0, requests: 0 });
  expect(storm.admit(['a'], 1, 60_010)).toBe('go');
  expect(storm.admit(['a'], 1, 60_020)).toBe('known');
});

test('a storm of different hangs is limited as a whole, and what is new waits: it is not lost', () => {
  const storm = new StormControl(0);
  const admitted = Array.from({ length: 500 }, (_, i) => storm.admit([`group ${i}`], 1, 0));
  expect(admitted.filter((each) => each === 'go')).toHaveLength(20);
  expect(admitted.at(-1)).toBe('wait');
  expect(storm.open(2_000)).toBe(false);
  expect(storm.open(3_100)).toBe(true);
  expect(storm.admit(['group 499'], 1, 3_100)).toBe('go');
  expect(storm.takeSuppressed()).toEqual({ dumps: 0, requests: 0 });
});

test('a new hang beside a known one goes', () => {
  const storm = new StormControl(0);
  for (let i = 0; i < 10; i++) storm.admit(['loud'], 1, 0);
  expect(storm.admit(['loud'], 1, 0)).toBe('known');
  expect(storm.admit(['loud', 'quiet'], 2, 0)).toBe('go');
});

test('what cannot wait goes in a storm as well, and is limited by its own kind', () => {
  const storm = new StormControl(0);
  for (let i = 0; i < 30; i++) storm.admit([`group ${i}`], 1, 0);
  expect(storm.admit(['new'], 1, 0)).toBe('wait');
  expect(Array.from({ length: 5 }, () => storm.admitAtOnce('block', 2, 0))).toEqual([true, true, true, false, false]);
  expect(storm.takeSuppressed()).toEqual({ dumps: 2, requests: 4 });
  expect(storm.open(3_100)).toBe(true);
});

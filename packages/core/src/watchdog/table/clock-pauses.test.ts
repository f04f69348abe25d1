import { expect, test } from 'vitest';
import { ClockPauses } from './clock-pauses.ts';

test('ages are real ones across pauses of the clock', () => {
  const pauses = new ClockPauses();
  expect(pauses.since(0)).toBe(0);
  pauses.advance(0, 1_000);
  pauses.advance(1_000, 2_000);
  pauses.advance(2_000, 3_000);
  expect([pauses.since(500), pauses.since(2_000)]).toEqual([1_500, 0]);
  // An hour in which nothing was in flight.
  pauses.advance(3_000, 3_604_000);
  pauses.advance(4_000, 3_605_000);
  expect(pauses.since(500)).toBe(3_603_500);
  expect(pauses.since(1_999)).toBe(3_602_001);
  // The request that ended the pause bears the time at which the clock stood.
  expect(pauses.since(2_000)).toBe(2_000);
  expect(pauses.since(3_500)).toBe(500);
});

test('unevenness is no pause, and the number of pauses is bounded', () => {
  const pauses = new ClockPauses();
  for (let i = 0; i < 10_000; i++) pauses.advance(i * 1_000, i * 3_600_000);
  expect(pauses.since(9_998_000)).toBe(1_000);
  expect(pauses.since(0)).toBeGreaterThan(200 * 3_600_000);
});

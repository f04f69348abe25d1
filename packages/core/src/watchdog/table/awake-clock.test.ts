import { expect, test } from 'vitest';
import { AwakeClock } from './awake-clock.ts';

test('moves with the monotonic clock', () => {
  const clock = new AwakeClock(100, 5_000);
  expect(clock.advance(5_100)).toBe(100);
  expect(clock.advance(5_250)).toBe(250);
});

test('grows by at most two intervals in one scan: a suspended process does not age its requests', () => {
  const clock = new AwakeClock(100, 0);
  clock.advance(100);
  expect(clock.advance(3_600_000)).toBe(300);
  expect(clock.advance(3_600_100)).toBe(400);
});

test('a pause with nothing in flight takes no time, and a clock that goes back takes none either', () => {
  const clock = new AwakeClock(100, 0);
  clock.advance(100);
  clock.resume(90_000);
  expect(clock.advance(90_050)).toBe(150);
  expect(clock.advance(90_000)).toBe(150);
});

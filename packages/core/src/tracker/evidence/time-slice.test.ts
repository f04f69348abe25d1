import { afterEach, beforeEach, expect, test, vi } from 'vitest';
import { runSliced } from './time-slice.ts';

let nowMs: number;

beforeEach(() => {
  nowMs = 0;
  vi.useFakeTimers({ toFake: ['setImmediate', 'setTimeout'] });
  vi.spyOn(performance, 'now').mockImplementation(() => nowMs);
});

afterEach(() => {
  vi.runAllTimers();
  vi.restoreAllMocks();
  vi.useRealTimers();
});

/** So many steps that take so long each. */
function* steps(count: number, stepMs: number): Generator<undefined, string, void> {
  for (let i = 0; i < count; i++) {
    nowMs += stepMs;
    yield;
  }
  return 'done';
}

function run(work: Generator<undefined, string, void>) {
  const outcome: { result?: string; error?: unknown } = {};
  runSliced(
    work,
    (result) => {
      outcome.result = result;
    },
    (error) => {
      outcome.error = error;
    },
  );
  return outcome;
}

test('short work is done at once; what is longer goes on in the next turn of the event loop', () => {
  expect(run(steps(2, 1))).toEqual({ result: 'done' });
  vi.runAllTimers();
  const outcome = run(steps(20, 1));
  expect(outcome).toEqual({});
  vi.runAllTimers();
  expect(outcome).toEqual({ result: 'done' });
});

test('no slice is longer than 3 ms and a step', () => {
  let longestMs = 0;
  const outcome = run(steps(1_000, 1));
  while (outcome.result === undefined) {
    const beganMs = nowMs;
    vi.advanceTimersToNextTimer();
    longestMs = Math.max(longestMs, nowMs - beganMs);
  }
  expect(longestMs).toBe(3);
});

test('long work takes a third of the time, once 200 ms of it are done', () => {
  const pauses = vi.spyOn(globalThis, 'setTimeout');
  const outcome = run(steps(1_998, 1));
  vi.runAllTimers();
  expect(outcome).toEqual({ result: 'done' });
  const pausedMs = pauses.mock.calls.reduce((sum, [, delayMs]) => sum + (delayMs ?? 0), 0);
  // The slice with which the 200 ms are full is the first that is followed by a pause.
  expect(pausedMs).toBeCloseTo((1_998 - 198) * 2);
});

test('two pieces of work take turns: in one turn of the event loop there is one slice', () => {
  const one = run(steps(40, 1));
  const other = run(steps(40, 1));
  const slices: number[] = [];
  while (one.result === undefined || other.result === undefined) {
    const beganMs = nowMs;
    vi.advanceTimersToNextTimer();
    slices.push(nowMs - beganMs);
  }
  expect(Math.max(...slices)).toBe(3);
  // Between two slices there is a turn without one.
  expect(slices.some((ms, i) => ms > 0 && (slices[i + 1] ?? 0) > 0)).toBe(false);
});

test('a turn of which nobody tells the end holds nothing up for good', () => {
  run(steps(2, 1));
  vi.clearAllTimers();
  nowMs += 1_000;
  expect(run(steps(2, 1))).toEqual({ result: 'done' });
});

test('what the work throws is told', () => {
  const outcome = run(
    // biome-ignore lint/correctness/useYield: it fails before its first step
    (function* (): Generator<undefined, string, void> {
      throw new Error('broken');
    })(),
  );
  expect(outcome.error).toMatchObject({ message: 'broken' });
});

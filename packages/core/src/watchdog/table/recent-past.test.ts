import { expect, test } from 'vitest';
import { RECORD_CHECKPOINT, RECORD_FINISHED } from '../../shared/recorder-layout.ts';
import { ClockPauses } from './clock-pauses.ts';
import { RecentPast } from './recent-past.ts';
import { RecorderReader } from './recorder-reader.ts';
import { TestingRecorder } from './testing-recorder.ts';

const LENGTH = 1_024;

function setUp() {
  const recorder = new TestingRecorder(LENGTH);
  const pauses = new ClockPauses();
  const texts = new Map([
    [1, 'GET'],
    [2, '/orders/:id'],
    [3, 'paid'],
  ]);
  const past = new RecentPast(new RecorderReader(recorder.buffer), texts, pauses, 1_000);
  return { write: recorder.write.bind(recorder), pauses, past };
}

test('the entries, and the beginnings of the requests that it is about, in their order', () => {
  const { write, pauses, past } = setUp();
  pauses.advance(0, 0);
  write(RECORD_FINISHED, 1_000, 6, 2, 1, 500);
  write(RECORD_CHECKPOINT, 2_000, 7, 3);
  write(RECORD_FINISHED, 3_000, 8, 9);
  pauses.advance(10_000, 10_000);
  const about = { request: 7, method: 1, route: 2, startMs: 1_000, beganAt: 1, timeoutMs: 6_000 };
  expect(past.describe([about], 10_000)).toEqual({
    reachMs: 10_000,
    resolutionMs: 1_000,
    entries: [
      { type: 'finished', ageMs: 9_000, request: 6, label: 'GET /orders/:id', durationMs: 500 },
      { type: 'started', ageMs: 9_000, request: 7, label: 'GET /orders/:id' },
      { type: 'checkpoint', ageMs: 8_000, request: 7, label: 'paid' },
      // Its route was never known.
      { type: 'finished', ageMs: 7_000, request: 8, durationMs: 0 },
    ],
    omitted: 0,
    torn: 0,
  });
});

test('where the ring has turned over, it says how far back it reaches, and how much it leaves out', () => {
  const { write, pauses, past } = setUp();
  pauses.advance(0, 0);
  for (let i = 0; i < 5_000; i++) write(RECORD_FINISHED, i * 10, i + 1, 2, 1);
  pauses.advance(50_000, 50_000);
  const { reachMs, entries, omitted } = past.describe([], 50_000);
  expect(entries).toHaveLength(200);
  expect(omitted).toBe(LENGTH - 200);
  expect(reachMs).toBe(LENGTH * 10);
  const about = { request: 7, method: 1, route: 2, startMs: 49_000, beganAt: 4_900, timeoutMs: 5_000 };
  // 10,240 ms: enough for one, too little for the other.
  expect(past.describe([about], 50_000).wantedMs).toBeUndefined();
  expect(past.describe([about, { ...about, timeoutMs: 6_000 }], 50_000).wantedMs).toBe(12_000);
});

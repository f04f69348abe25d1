import { expect, test } from 'vitest';
import { recorderEntries } from './shared/recorder-layout.ts';
import { FlightRecorder } from './tracker/table/flight-recorder.ts';
// Across the wall between the threads, where nothing but the layout stands: so it is beside neither.
import { RecorderReader } from './watchdog/table/recorder-reader.ts';

test('what is written is what is read', () => {
  const clock = new Uint32Array(1);
  const recorder = new FlightRecorder(clock, 64);
  const reader = new RecorderReader(recorder.buffer);
  expect(reader.read()).toEqual({ entries: [], written: 0, overwritten: false, torn: 0 });
  clock[0] = 5_000;
  recorder.checkpoint(7, 3);
  clock[0] = 6_000;
  recorder.outboundEnded(7, 4, 4_500);
  recorder.requestEnded(7, 1, 2, 4_000, 0, true);
  recorder.requestEnded(8, 1, 2, 6_000, 2, false);
  recorder.loopLag(49);
  recorder.loopLag(250);
  const common = { atMs: 6_000, label: 0, method: 0, request: 0, durationMs: 0 };
  expect(reader.read().entries).toEqual([
    { ...common, number: 0, type: 'checkpoint', atMs: 5_000, request: 7, label: 3, beganAt: 0 },
    { ...common, number: 1, type: 'outbound', request: 7, label: 4, durationMs: 1_500, beganAt: 1 },
    { ...common, number: 2, type: 'finished', request: 7, label: 2, method: 1, durationMs: 2_000, beganAt: 0 },
    { ...common, number: 3, type: 'left', request: 8, label: 2, method: 1, durationMs: 0, beganAt: 2 },
    { ...common, number: 4, type: 'loop-lag', durationMs: 250, beganAt: 4 },
  ]);
  expect(recorder.written).toBe(5);
});

test('the clock and the count may wrap', () => {
  const clock = new Uint32Array([100]);
  const recorder = new FlightRecorder(clock, 64);
  new Uint32Array(recorder.buffer)[1] = 0xffff_ffff;
  recorder.requestEnded(1, 1, 1, 0xffff_ffff, 0xffff_fffe, true);
  recorder.checkpoint(1, 1);
  expect(recorder.written).toBe(1);
  const { entries } = new RecorderReader(recorder.buffer).read();
  expect(entries.map(({ number, durationMs }) => [number, durationMs])).toEqual([
    [0xffff_ffff, 101],
    [0, 0],
  ]);
});

test.each([
  [100, undefined, 16_384],
  [10_000, undefined, 16_384],
  [20_000, undefined, 32_768],
  [60_000, undefined, 131_072],
  [3_600_000, undefined, 131_072],
  [10_000, 200_000, 262_144],
  [60_000, 1_024, 1_024],
])('a timeout of %i ms, with %s entries asked for: a ring of %i', (timeoutMs, given, entries) => {
  expect(recorderEntries(timeoutMs, given)).toBe(entries);
  expect(new FlightRecorder(new Uint32Array(1), entries).buffer.byteLength).toBe(64 + 32 * entries);
});

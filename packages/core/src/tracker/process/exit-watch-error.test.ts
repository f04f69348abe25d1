import type { DumpCrash } from '@hangwatch/protocol';
import { afterEach, beforeEach, expect, test, vi } from 'vitest';
import type { RequestRecord } from '../request-record.ts';
import { testingRecord } from '../waits/testing-record.ts';
import { ExitWatch } from './exit-watch.ts';

let watch: ExitWatch;
let reports: DumpCrash[];
let running: RequestRecord | undefined;
/** What the watch listens to: others of the process must not hear of an end that is none. */
let hear: (event: 'uncaughtExceptionMonitor' | 'exit', ...args: unknown[]) => void;

beforeEach(() => {
  vi.useFakeTimers();
  reports = [];
  running = undefined;
  const on = vi.spyOn(process, 'on');
  watch = new ExitWatch({
    records: [],
    errorMessages: false,
    current: () => running,
    report: (crash) => reports.push(crash),
    endQuietly: () => undefined,
  });
  const calls = [...on.mock.calls] as unknown as [string, (...args: unknown[]) => void][];
  on.mockRestore();
  hear = (event, ...args) => {
    for (const [name, listener] of calls) if (name === event) listener(...args);
  };
});
afterEach(() => {
  watch.stop();
  vi.restoreAllMocks();
  vi.useRealTimers();
});

const fail = (listeners: number) => {
  vi.spyOn(process, 'listenerCount').mockReturnValue(listeners);
  hear('uncaughtExceptionMonitor', new TypeError('harmless'), 'uncaughtException');
};

test('an error that nobody handles ends the process', () => {
  fail(0);
  hear('exit', 1);
  expect(reports).toMatchObject([{ cause: 'uncaught-exception', exitCode: 1, error: { class: 'TypeError' } }]);
  expect(reports[0]?.handledMs).toBeUndefined();
});

test('the request in whose context it was thrown is told, whatever runs when the process exits', () => {
  running = testingRecord(7);
  fail(0);
  running = testingRecord(8);
  hear('exit', 1);
  expect(reports).toMatchObject([{ running: 7 }]);
});

test('of one that the application handles it is said how long ago it was', () => {
  fail(1);
  vi.advanceTimersByTime(6_000);
  hear('exit', 143);
  expect(reports).toMatchObject([{ cause: 'uncaught-exception', exitCode: 143, handledMs: 6_000 }]);
});

test('capturing it (as domains do) is handling it', () => {
  const captures = vi.spyOn(process, 'hasUncaughtExceptionCaptureCallback').mockReturnValue(true);
  fail(0);
  captures.mockRestore();
  vi.advanceTimersByTime(1_000);
  hear('exit', 1);
  expect(reports).toMatchObject([{ cause: 'uncaught-exception', handledMs: 1_000 }]);
});

test('after ten seconds it is forgotten, and so it is when the watch stops', () => {
  fail(1);
  vi.advanceTimersByTime(5_000);
  fail(1);
  vi.advanceTimersByTime(9_000);
  expect(vi.getTimerCount()).toBe(1);
  vi.advanceTimersByTime(2_000);
  hear('exit', 143);
  fail(1);
  watch.stop();
  expect(vi.getTimerCount()).toBe(0);
  expect(reports).toEqual([]);
});

import { afterEach, beforeEach, expect, test, vi } from 'vitest';
import { HEADER_CELLS, kBeat, kBeatAsked, kInFlight } from '../../shared/slot-layout.ts';
import { BlockedLoop, type FoundBlock } from './blocked-loop.ts';
import type { InspectorSession } from './inspector-session.ts';
import { TakeStack } from './take-stack.ts';

const TIMES = 1_000;
const THRESHOLD_MS = 20;
/** What is asked when the session begins. */
const AT_ONCE = 3;
const PAUSED = {
  reason: 'other',
  callFrames: [{ callFrameId: '1', functionName: 'spin', location: { scriptId: '9', lineNumber: 2, columnNumber: 4 } }],
};

/** A main thread that answers at once, not at all, or when native code returns. */
class Session implements InspectorSession {
  disconnected = 0;
  paused = 0;
  resumed = 0;
  readonly #answers: 'at once' | 'late';
  #asked = 0;
  #onPaused: ((message: { params: unknown }) => void) | undefined;

  constructor(answers: 'at once' | 'late') {
    this.#answers = answers;
  }
  on(event: string, listener: (message: { params: unknown }) => void): void {
    if (event === 'Debugger.paused') this.#onPaused = listener;
  }
  post(method: string, _params: object, answer: (error: Error | null, result?: unknown) => void): void {
    // As native code does, from which the thread comes back only when the block is over.
    const answersAfterMs = this.#answers === 'late' && this.#asked++ < AT_ONCE ? 60 : 1;
    setTimeout(() => {
      if (this.disconnected > 0) return;
      answer(null, {});
      if (method === 'Debugger.resume') this.resumed += 1;
      if (method !== 'Debugger.pause') return;
      this.paused += 1;
      this.#onPaused?.({ params: PAUSED });
    }, answersAfterMs);
  }
  disconnect(): void {
    this.disconnected += 1;
  }
}

beforeEach(() => {
  vi.useFakeTimers();
});
afterEach(() => {
  vi.useRealTimers();
});

test('a thousand blocks in a row: each is told with its end, each session ends once, and no timer is left', async () => {
  const header = new Uint32Array(new SharedArrayBuffer(HEADER_CELLS * 4));
  header[kInFlight] = 1;
  const sessions: Session[] = [];
  const reports: FoundBlock[] = [];
  const ended: string[] = [];
  let blocked = false;
  const answer = () => Atomics.store(header, kBeat, Atomics.load(header, kBeatAsked));
  const monitor = new BlockedLoop({
    header,
    thresholdMs: THRESHOLD_MS,
    cwd: '/app',
    monotonicMs: () => Date.now(),
    post: () => {
      if (!blocked) answer();
    },
    readKernel: () => undefined,
    readSleep: () => ({ cause: 'unknown', what: 'sleeps' }),
    debuggerAttached: () => false,
    takeStack: (stillBlocked) =>
      new TakeStack({
        open: () => {
          const session = new Session(sessions.length % 3 === 0 ? 'late' : 'at once');
          sessions.push(session);
          return session;
        },
        nowMs: () => Date.now(),
        cpuWaitMs: () => 0,
        stillBlocked,
      }),
    whyNoStack: '',
    mayHang: () => false,
    pauses: { everyMs: 0, share: 1 },
    noticed: () => true,
    report: (found) => `dump-${reports.push(found)}`,
    ended: (_block, follows) => ended.push(follows),
  });
  monitor.start();
  await vi.advanceTimersByTimeAsync(100);
  const timers = vi.getTimerCount();

  for (let turn = 0; turn < TIMES; turn++) {
    blocked = true;
    await vi.advanceTimersByTimeAsync(THRESHOLD_MS + 15 + (turn % 7) * 10);
    blocked = false;
    answer();
    await vi.advanceTimersByTimeAsync(2 * THRESHOLD_MS);
  }
  await vi.advanceTimersByTimeAsync(60_000);

  expect(sessions).toHaveLength(TIMES);
  expect(sessions.filter(({ disconnected }) => disconnected !== 1)).toEqual([]);
  expect(sessions.filter(({ paused, resumed }) => paused !== resumed)).toEqual([]);
  expect(reports.filter(({ block }) => block.stack.length > 0).length).toBeGreaterThan(TIMES / 2);
  expect(new Set(reports.map(({ follows }) => follows)).size).toBe(1);
  expect(ended).toEqual(reports.map((_, index) => `dump-${index + 1}`));
  expect(vi.getTimerCount()).toBe(timers);
  await monitor.stop();
  expect(vi.getTimerCount()).toBe(0);
});

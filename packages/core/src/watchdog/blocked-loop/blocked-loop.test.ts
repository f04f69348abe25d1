import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest';
import { HEADER_CELLS, kBeat, kBeatAsked, kInFlight, kRunning, kSession } from '../../shared/slot-layout.ts';
import { BlockedLoop, type BlockedLoopParts, type FoundBlock } from './blocked-loop.ts';
import type { StackOutcome } from './take-stack.ts';

const STACK: Extract<StackOutcome, { type: 'stack' }> = {
  type: 'stack',
  stack: {
    frames: [{ function: 'spin', file: '/app/a.js', line: 3, column: 5, async: false, kind: 'app' }],
    source: 'x += 1;',
    late: false,
    heapUsed: 0.1,
  },
  evidence: { running: 7, requests: [], heapUsed: 0.1 },
  costMs: 20,
};

/** A main thread that answers heartbeats, or does not, and a monitor on a clock that the test moves. */
function setUp(parts: Partial<BlockedLoopParts> = {}) {
  const header = new Uint32Array(new SharedArrayBuffer(HEADER_CELLS * 4));
  header[kInFlight] = 1;
  const main = { answers: true };
  const reports: FoundBlock[] = [];
  const ended: { sinceMs: number; follows: string }[] = [];
  let beats = 0;
  const answer = () => Atomics.store(header, kBeat, Atomics.load(header, kBeatAsked));
  const monitor = new BlockedLoop({
    header,
    thresholdMs: 1_000,
    cwd: '/app',
    monotonicMs: () => Date.now(),
    post: () => {
      beats += 1;
      if (main.answers) answer();
    },
    readKernel: () => undefined,
    readSleep: () => ({ cause: 'unknown', what: 'sleeps' }),
    debuggerAttached: () => false,
    takeStack: undefined,
    whyNoStack: 'no stack: off',
    mayHang: () => false,
    pauses: { everyMs: 60_000, share: 0.01 },
    noticed: () => true,
    report: (found) => `dump-${reports.push(found)}`,
    ended: ({ sinceMs }, follows) => ended.push({ sinceMs, follows }),
    ...parts,
  });
  monitor.start();
  return {
    header,
    monitor,
    reports,
    ended,
    beats: () => beats,
    block: () => {
      main.answers = false;
    },
    goOn: () => {
      main.answers = true;
      answer();
    },
  };
}

/** A stack that comes when the test says so. */
function pendingStack() {
  let give: (outcome: StackOutcome) => void = () => undefined;
  const cancel = vi.fn();
  const stillBlocked: { ask: () => boolean } = { ask: () => false };
  return {
    cancel,
    stillBlocked,
    give: (outcome: StackOutcome) => give(outcome),
    takeStack: vi.fn((ask: () => boolean) => {
      stillBlocked.ask = ask;
      return {
        outcome: new Promise<StackOutcome>((resolve) => {
          give = resolve;
        }),
        cancel,
      };
    }),
  };
}

beforeEach(() => {
  vi.useFakeTimers();
});
afterEach(() => {
  vi.useRealTimers();
});

test('has ended no earlier than the session that takes a stack', async () => {
  const stack = pendingStack();
  const { block, monitor, header } = setUp({ takeStack: stack.takeStack });
  block();
  await vi.advanceTimersByTimeAsync(1_200);
  let stopped = false;
  const stopping = monitor.stop().then(() => {
    stopped = true;
  });
  expect(stack.cancel).toHaveBeenCalledTimes(1);
  await vi.advanceTimersByTimeAsync(100);
  expect([stopped, header[kSession]]).toEqual([false, 1]);
  stack.give({ type: 'none', why: 'taken back', costMs: 0 });
  await stopping;
  expect(header[kSession]).toBe(0);
});

describe('heartbeats', () => {
  test('are asked for ten times a second while requests are in flight, and not at all otherwise', async () => {
    const { header, beats } = setUp();
    await vi.advanceTimersByTimeAsync(2_000);
    expect(beats()).toBeGreaterThanOrEqual(19);
    expect(beats()).toBeLessThanOrEqual(21);
    header[kInFlight] = 0;
    const before = beats();
    await vi.advanceTimersByTimeAsync(10_000);
    expect(beats()).toBe(before);
  });

  test('come at least every quarter of a short threshold', async () => {
    const { beats } = setUp({ thresholdMs: 100 });
    await vi.advanceTimersByTimeAsync(1_000);
    expect(beats()).toBeGreaterThanOrEqual(39);
  });

  test('a question left behind when the last request ended is no block of the next', async () => {
    const { header, block, goOn, reports } = setUp();
    await vi.advanceTimersByTimeAsync(500);
    block();
    await vi.advanceTimersByTimeAsync(300);
    header[kInFlight] = 0;
    await vi.advanceTimersByTimeAsync(5_000);
    goOn();
    header[kInFlight] = 1;
    await vi.advanceTimersByTimeAsync(5_000);
    expect(reports).toEqual([]);
  });
});

describe('a block', () => {
  test('is reported once, within the threshold and half a second, and its end with its length', async () => {
    const { header, reports, ended, block, goOn } = setUp();
    await vi.advanceTimersByTimeAsync(450);
    header[kRunning] = 12;
    block();
    const beganMs = Date.now();
    while (reports.length === 0) await vi.advanceTimersByTimeAsync(1);
    expect(Date.now() - beganMs).toBeGreaterThanOrEqual(1_000);
    expect(Date.now() - beganMs).toBeLessThanOrEqual(1_150);
    expect(reports[0]).toMatchObject({ follows: undefined, block: { lastRan: 12, stackNote: 'no stack: off' } });
    expect(reports[0]?.block.running).toBeUndefined();
    await vi.advanceTimersByTimeAsync(3_000);
    expect(reports).toHaveLength(1);
    const lastedMs = Date.now() - beganMs;
    goOn();
    await vi.advanceTimersByTimeAsync(100);
    expect(ended).toHaveLength(1);
    expect(ended[0]?.follows).toBe('dump-1');
    expect(Math.abs((ended[0]?.sinceMs ?? 0) - lastedMs)).toBeLessThanOrEqual(120);
  });

  test('shorter than the threshold is none', async () => {
    const { reports, ended, block, goOn } = setUp();
    for (let i = 0; i < 20; i++) {
      block();
      await vi.advanceTimersByTimeAsync(850);
      goOn();
      await vi.advanceTimersByTimeAsync(200);
    }
    expect(reports).toEqual([]);
    expect(ended).toEqual([]);
  });

  test('with a stack within 350 ms goes out in one report, with the request that the stack belongs to', async () => {
    const stack = pendingStack();
    const { reports, block } = setUp({ takeStack: stack.takeStack });
    block();
    await vi.advanceTimersByTimeAsync(1_300);
    expect(reports).toEqual([]);
    expect(stack.stillBlocked.ask()).toBe(true);
    stack.give(STACK);
    await vi.advanceTimersByTimeAsync(0);
    expect(reports).toHaveLength(1);
    expect(reports[0]?.block).toMatchObject({
      running: 7,
      cause: 'javascript',
      what: 'runs JavaScript in spin (a.js:3:5)',
    });
    await vi.advanceTimersByTimeAsync(2_000);
    expect(reports).toHaveLength(1);
  });

  test('whose stack comes later is reported without it first, and then again', async () => {
    const stack = pendingStack();
    const { reports, ended, block, goOn } = setUp({ takeStack: stack.takeStack });
    block();
    await vi.advanceTimersByTimeAsync(1_500);
    expect(reports).toHaveLength(1);
    expect(reports[0]?.block.stack).toEqual([]);
    await vi.advanceTimersByTimeAsync(1_500);
    // Native code returns: the loop turns before this thread has heard of the stack.
    goOn();
    await vi.advanceTimersByTimeAsync(50);
    expect(stack.stillBlocked.ask()).toBe(false);
    expect(ended).toEqual([]);
    stack.give({ ...STACK, stack: { ...STACK.stack, late: true } });
    await vi.advanceTimersByTimeAsync(0);
    expect(reports).toHaveLength(2);
    expect(reports[1]).toMatchObject({ follows: 'dump-1', block: { stackNote: expect.stringContaining('returned') } });
    expect(ended).toMatchObject([{ follows: 'dump-2' }]);
  });

  test('that never ends has been reported, though nobody knows its stack', async () => {
    const stack = pendingStack();
    const { reports, block } = setUp({ takeStack: stack.takeStack });
    block();
    await vi.advanceTimersByTimeAsync(60_000);
    expect(reports).toHaveLength(1);
  });

  test('has the thread not paused while the disk may keep this one from letting it go on', async () => {
    const stack = pendingStack();
    let mayHang = true;
    const { reports, block, goOn } = setUp({ takeStack: stack.takeStack, mayHang: () => mayHang });
    block();
    await vi.advanceTimersByTimeAsync(2_000);
    expect(stack.takeStack).not.toHaveBeenCalled();
    expect(reports[0]?.block.stackNote).toMatch(/^no stack: no process can be started here that stores reports/);
    goOn();
    await vi.advanceTimersByTimeAsync(1_000);
    mayHang = false;
    block();
    await vi.advanceTimersByTimeAsync(2_000);
    expect(stack.takeStack).toHaveBeenCalledTimes(1);
  });

  test('has the thread paused once a minute at most', async () => {
    const stack = pendingStack();
    const { reports, block, goOn } = setUp({ takeStack: stack.takeStack });
    for (let i = 0; i < 3; i++) {
      block();
      await vi.advanceTimersByTimeAsync(2_000);
      stack.give(STACK);
      goOn();
      await vi.advanceTimersByTimeAsync(1_000);
    }
    expect(stack.takeStack).toHaveBeenCalledTimes(1);
    expect(reports.at(-1)?.block.stackNote).toBe('no stack: one was taken a short while ago');
    await vi.advanceTimersByTimeAsync(60_000);
    block();
    await vi.advanceTimersByTimeAsync(2_000);
    expect(stack.takeStack).toHaveBeenCalledTimes(2);
  });

  test('has the thread paused the less often the more it costs: a hundredth of the time at most', async () => {
    const stack = pendingStack();
    const { block, goOn } = setUp({ takeStack: stack.takeStack });
    const blockOnce = async (costMs: number) => {
      block();
      await vi.advanceTimersByTimeAsync(1_500);
      stack.give({ ...STACK, costMs });
      goOn();
      await vi.advanceTimersByTimeAsync(1_000);
    };
    await blockOnce(900);
    await vi.advanceTimersByTimeAsync(80_000);
    await blockOnce(0);
    expect(stack.takeStack).toHaveBeenCalledTimes(1);
    await vi.advanceTimersByTimeAsync(10_000);
    await blockOnce(0);
    expect(stack.takeStack).toHaveBeenCalledTimes(2);
  });

  test('of background work is not put down to the request that ran last', async () => {
    const stack = pendingStack();
    const { header, reports, block } = setUp({ takeStack: stack.takeStack });
    await vi.advanceTimersByTimeAsync(450);
    header[kRunning] = 12;
    block();
    await vi.advanceTimersByTimeAsync(1_200);
    stack.give({ ...STACK, evidence: { running: undefined, requests: [], heapUsed: 0.1 } });
    await vi.advanceTimersByTimeAsync(0);
    expect(reports).toHaveLength(1);
    expect(reports[0]?.block.what).toContain('no request: background work');
    expect([reports[0]?.block.running, reports[0]?.block.lastRan]).toEqual([undefined, undefined]);
  });
});

describe('no block', () => {
  test('is a debugger that is attached, nor one that keeps the thread paused', async () => {
    const attached = setUp({ debuggerAttached: () => true });
    attached.block();
    const stack = pendingStack();
    const foreign = setUp({ takeStack: stack.takeStack });
    foreign.block();
    await vi.advanceTimersByTimeAsync(1_200);
    stack.give({ type: 'foreign', costMs: 0 });
    await vi.advanceTimersByTimeAsync(20_000);
    expect(foreign.monitor.explainsSilence).toBe(true);
    attached.goOn();
    foreign.goOn();
    await vi.advanceTimersByTimeAsync(1_000);
    for (const { reports, ended } of [attached, foreign]) expect([reports, ended]).toEqual([[], []]);
    expect(foreign.monitor.explainsSilence).toBe(false);
    // The debugger is gone: what blocks now is a block.
    foreign.block();
    await vi.advanceTimersByTimeAsync(2_000);
    expect(foreign.reports).toHaveLength(1);
  });

  test.each([
    ['has been reported', 1_400, undefined],
    ['has not yet been reported', 1_150, 'no stack: a debugger was connected before it could be taken'],
  ])(
    'goes on when a debugger comes in the middle of one that %s: nothing is told that is its doing',
    async (_, atMs, note) => {
      const stack = pendingStack();
      let attached = false;
      const { block, goOn, reports, ended, header, monitor } = setUp({
        takeStack: stack.takeStack,
        debuggerAttached: () => attached,
      });
      await vi.advanceTimersByTimeAsync(100);
      block();
      await vi.advanceTimersByTimeAsync(atMs);
      expect(header[kSession]).toBe(1);
      attached = true;
      await vi.advanceTimersByTimeAsync(200);
      expect(stack.stillBlocked.ask()).toBe(false);
      expect(monitor.standsOff).toBe(true);
      stack.give(STACK);
      // At its breakpoints, for as long as it takes.
      await vi.advanceTimersByTimeAsync(20_000);
      expect(header[kSession]).toBe(0);
      goOn();
      await vi.advanceTimersByTimeAsync(1_000);
      expect(reports).toHaveLength(1);
      if (note !== undefined) expect(reports[0]?.block.stackNote).toBe(note);
      // It lasted until the debugger came.
      expect(ended).toEqual([{ follows: 'dump-1', sinceMs: expect.any(Number) }]);
      expect(ended[0]?.sinceMs).toBeLessThan(2_000);
    },
  );

  test('is one that nobody waits for but a self-test: the thread is not paused for it', async () => {
    const stack = pendingStack();
    const { reports, ended, block, goOn } = setUp({ takeStack: stack.takeStack, noticed: () => false });
    block();
    await vi.advanceTimersByTimeAsync(5_000);
    goOn();
    await vi.advanceTimersByTimeAsync(1_000);
    expect(stack.takeStack).not.toHaveBeenCalled();
    expect([reports, ended]).toEqual([[], []]);
  });

  test('is a process that was suspended: this thread did not run either', async () => {
    const { reports, block, goOn } = setUp();
    await vi.advanceTimersByTimeAsync(500);
    block();
    await vi.advanceTimersByTimeAsync(100);
    vi.setSystemTime(Date.now() + 3_600_000);
    await vi.advanceTimersByTimeAsync(100);
    goOn();
    await vi.advanceTimersByTimeAsync(2_000);
    expect(reports).toEqual([]);
  });
});

test('silence is explained from soon before the report until shortly after the block', async () => {
  const { monitor, block, goOn } = setUp();
  await vi.advanceTimersByTimeAsync(2_000);
  expect(monitor.explainsSilence).toBe(false);
  block();
  await vi.advanceTimersByTimeAsync(400);
  expect(monitor.explainsSilence).toBe(true);
  await vi.advanceTimersByTimeAsync(4_000);
  expect(monitor.explainsSilence).toBe(true);
  goOn();
  await vi.advanceTimersByTimeAsync(300);
  expect(monitor.explainsSilence).toBe(true);
  await vi.advanceTimersByTimeAsync(500);
  expect(monitor.explainsSilence).toBe(false);
});

test('a threshold of 0 asks for nothing', async () => {
  const { monitor, beats } = setUp({ thresholdMs: 0 });
  await vi.advanceTimersByTimeAsync(5_000);
  expect(beats()).toBe(0);
  expect(monitor.explainsSilence).toBe(false);
});

test('a long threshold leaves hang evidence alone until its report is near', async () => {
  const { monitor, block } = setUp({ thresholdMs: 60_000 });
  block();
  await vi.advanceTimersByTimeAsync(30_000);
  expect(monitor.explainsSilence).toBe(false);
});

describe('the question and its answer', () => {
  test('cross: an answer that is ahead of the question is one', async () => {
    const { header, reports, beats } = setUp();
    await vi.advanceTimersByTimeAsync(300);
    const asked = beats();
    Atomics.sub(header, kBeatAsked, 1);
    await vi.advanceTimersByTimeAsync(3_000);
    expect(reports).toHaveLength(0);
    expect(beats()).toBeGreaterThan(asked + 10);
  });

  test('a question that an earlier watchdog counted and never sent is not waited for', async () => {
    const header = new Uint32Array(new SharedArrayBuffer(HEADER_CELLS * 4));
    header[kInFlight] = 1;
    header[kBeatAsked] = 5;
    header[kBeat] = 4;
    const answer = () => Atomics.store(header, kBeat, Atomics.load(header, kBeatAsked));
    const { reports, monitor } = setUp({ header, post: answer });
    await vi.advanceTimersByTimeAsync(3_000);
    expect(reports).toHaveLength(0);
    expect(monitor.explainsSilence).toBe(false);
  });

  test('a report that cannot be made is a problem, and no more', async () => {
    const posted: unknown[] = [];
    setUp({
      post: (message) => posted.push(message),
      report: () => {
        throw new Error('no');
      },
    });
    await vi.advanceTimersByTimeAsync(3_000);
    expect(posted).toContainEqual(expect.objectContaining({ type: 'problem', code: 'HANGWATCH_ERR_INTERNAL' }));
  });
});

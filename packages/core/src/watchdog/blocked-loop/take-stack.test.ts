import fc from 'fast-check';
import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest';
import type { InspectorSession } from './inspector-session.ts';
import { TakeStack } from './take-stack.ts';

type Answer = (error: Error | null, result?: unknown) => void;

/** The main thread's end of a session: what was asked, in order, answered when the test says so. */
class FakeSession implements InspectorSession {
  readonly asked: string[] = [];
  disconnected = 0;
  fails: string | undefined;
  readonly #answers = new Map<string, Answer>();
  readonly #listeners = new Map<string, (message: { params: unknown }) => void>();

  on(event: string, listener: (message: { params: unknown }) => void): void {
    this.#listeners.set(event, listener);
  }
  post(method: string, _params: object, answer: Answer): void {
    if (this.fails === method) throw new Error(`${method} failed`);
    this.asked.push(method);
    this.#answers.set(method, answer);
  }
  disconnect(): void {
    this.disconnected += 1;
  }
  answer(method: string, result?: unknown, error: Error | null = null): void {
    this.#answers.get(method)?.(error, result);
  }
  /** Both that were sent first, in their order. */
  acknowledge(): void {
    this.answer('Debugger.enable');
    this.answer('Debugger.pause');
  }
  tell(event: string, params: unknown): void {
    this.#listeners.get(event)?.({ params });
  }
}

const PAUSED = {
  reason: 'other',
  hitBreakpoints: [],
  callFrames: [
    { callFrameId: '1', functionName: 'spin', location: { scriptId: '9', lineNumber: 2, columnNumber: 4 } },
    { callFrameId: '2', functionName: '', location: { scriptId: '9', lineNumber: 8, columnNumber: 0 } },
  ],
};
/** As of a session with `setPauseOnExceptions`. */
const EXCEPTION = { ...PAUSED, reason: 'exception' };
const SCRIPT = { scriptId: '9', url: 'file:///app/a.js', length: 100 };

function setUp() {
  const session = new FakeSession();
  const state = { blocked: true, cpuWaitMs: 0 };
  const taking = new TakeStack({
    open: () => session,
    nowMs: () => Date.now(),
    cpuWaitMs: () => state.cpuWaitMs,
    stillBlocked: () => state.blocked,
  });
  return { session, taking, state };
}

beforeEach(() => {
  vi.useFakeTimers();
});
afterEach(() => {
  vi.useRealTimers();
});

describe('the main thread goes on', () => {
  test('everything is asked in the call that hears of the pause, and resume last', async () => {
    const { session, taking } = setUp();
    expect(session.asked).toEqual(['Runtime.getIsolateId', 'Debugger.enable', 'Debugger.pause']);
    session.tell('Debugger.scriptParsed', SCRIPT);
    session.acknowledge();
    session.tell('Debugger.paused', PAUSED);
    expect(session.asked).toEqual([
      'Runtime.getIsolateId',
      'Debugger.enable',
      'Debugger.pause',
      'Runtime.evaluate',
      'Debugger.getScriptSource',
      'Debugger.resume',
    ]);
    const evidence = { running: 4, requests: [], heapUsed: 0.5 };
    session.answer('Runtime.evaluate', { result: { value: JSON.stringify(evidence) } });
    session.answer('Debugger.getScriptSource', { scriptSource: '\n\n    while (true);\n' });
    session.answer('Debugger.resume');
    expect(session.disconnected).toBe(1);
    expect(await taking.outcome).toMatchObject({
      type: 'stack',
      evidence,
      stack: {
        late: false,
        heapUsed: 0.5,
        source: 'while (true);',
        frames: [
          { function: 'spin', file: '/app/a.js', line: 3, column: 5, async: false, kind: 'app' },
          { function: '', line: 9, column: 1 },
        ],
      },
    });
  });

  test.each(['Runtime.evaluate', 'Debugger.getScriptSource'])('when %s throws', async (method) => {
    const { session, taking } = setUp();
    session.tell('Debugger.scriptParsed', SCRIPT);
    session.acknowledge();
    session.fails = method;
    session.tell('Debugger.paused', PAUSED);
    expect(session.asked.at(-1)).toBe('Debugger.resume');
    session.answer('Debugger.resume');
    expect(session.disconnected).toBe(1);
    expect((await taking.outcome).type).toBe('stack');
  });

  test('when the frames are none that anybody could read', async () => {
    const { session, taking } = setUp();
    session.acknowledge();
    session.tell('Debugger.paused', { reason: 'other', callFrames: [null] });
    expect(session.asked.at(-1)).toBe('Debugger.resume');
    session.answer('Debugger.resume');
    expect(await taking.outcome).toMatchObject({ type: 'none', why: expect.stringContaining('could not be read') });
  });

  test.each([
    ['it cannot be resumed', PAUSED, 'Debugger.resume', 'stack'],
    ['what tells of the pause is nothing that anybody could read', undefined, undefined, 'none'],
  ])('when %s: the session ends, and the pause with it', async (_, paused, fails, type) => {
    const { session, taking } = setUp();
    session.acknowledge();
    session.fails = fails;
    session.tell('Debugger.paused', paused);
    expect(session.disconnected).toBe(1);
    expect((await taking.outcome).type).toBe(type);
    expect(vi.getTimerCount()).toBe(0);
  });

  test('when no answer ever comes: the stack is kept and the session ends', async () => {
    const { session, taking } = setUp();
    session.acknowledge();
    session.tell('Debugger.paused', PAUSED);
    await vi.advanceTimersByTimeAsync(1_500);
    expect(session.disconnected).toBe(1);
    expect((await taking.outcome).type).toBe('stack');
  });

  test('when the loop turns again before the pause: it is resumed, and its frames are not shown', async () => {
    const { session, taking, state } = setUp();
    session.acknowledge();
    state.blocked = false;
    taking.cancel();
    expect(session.asked.at(-1)).toBe('Debugger.setSkipAllPauses');
    session.tell('Debugger.paused', PAUSED);
    expect(session.asked.at(-1)).toBe('Debugger.resume');
    session.answer('Debugger.setSkipAllPauses');
    expect(session.disconnected).toBe(0);
    session.answer('Debugger.resume');
    expect(session.disconnected).toBe(1);
    expect((await taking.outcome).type).toBe('none');
  });

  test('when it is taken back before any pause', async () => {
    const { session, taking } = setUp();
    session.acknowledge();
    taking.cancel();
    session.answer('Debugger.setSkipAllPauses');
    expect(session.disconnected).toBe(1);
    expect((await taking.outcome).type).toBe('none');
  });

  test.each([
    ['it turns again', true],
    ['nobody asks', false],
  ])(
    'when native code takes a minute, and %s: the session is there until its pause has come, or can come no more',
    async (_, turns) => {
      const { session, taking, state } = setUp();
      await vi.advanceTimersByTimeAsync(60_000);
      if (turns) {
        state.blocked = false;
        taking.cancel();
      }
      // The request has been made: without us the pause would be there for other sessions, and nobody would end it.
      expect(session.disconnected).toBe(0);
      session.acknowledge();
      session.tell('Debugger.paused', PAUSED);
      expect(session.asked.at(-1)).toBe('Debugger.resume');
      session.answer('Debugger.setSkipAllPauses');
      session.answer('Debugger.resume');
      expect(session.disconnected).toBe(1);
      expect((await taking.outcome).type).toBe(turns ? 'none' : 'stack');
    },
  );
});

describe("somebody else's debugger", () => {
  test('a pause that is told before ours has been taken is none of ours, whatever its reason', async () => {
    const { session, taking } = setUp();
    session.answer('Debugger.enable');
    session.tell('Debugger.paused', PAUSED);
    expect(session.asked).not.toContain('Debugger.resume');
    // Whose it is lets the thread go on; the request that was made meanwhile came to nothing.
    session.answer('Debugger.pause');
    session.tell('Debugger.resumed', {});
    // Nor is the next one, before we have asked again.
    session.tell('Debugger.paused', PAUSED);
    session.tell('Debugger.resumed', {});
    expect(session.asked).not.toContain('Debugger.resume');
    session.answer('Debugger.pause');
    session.tell('Debugger.paused', PAUSED);
    expect(session.asked.at(-1)).toBe('Debugger.resume');
    session.answer('Debugger.resume');
    expect((await taking.outcome).type).toBe('stack');
  });

  test('a pause that is there before enable is acknowledged is left as it is', async () => {
    const { session, taking } = setUp();
    session.tell('Debugger.paused', PAUSED);
    session.acknowledge();
    await vi.advanceTimersByTimeAsync(200);
    expect(session.asked).not.toContain('Debugger.resume');
    expect(session.disconnected).toBe(1);
    expect(await taking.outcome).toMatchObject({ type: 'foreign' });
  });

  test.each([{ ...PAUSED, hitBreakpoints: ['1:2:3'] }, EXCEPTION])(
    'a pause that stands is left as it is',
    async (paused) => {
      const { session, taking } = setUp();
      session.acknowledge();
      session.tell('Debugger.paused', paused);
      await vi.advanceTimersByTimeAsync(200);
      expect(session.asked).not.toContain('Debugger.resume');
      expect(session.disconnected).toBe(1);
      expect(await taking.outcome).toMatchObject({ type: 'foreign' });
    },
  );
});

describe('a tool that pauses on exceptions, and lets the thread go on at once', () => {
  test('the stack is taken at the next pause of ours, and only that is resumed', async () => {
    const { session, taking } = setUp();
    session.acknowledge();
    session.tell('Debugger.paused', EXCEPTION);
    session.tell('Debugger.resumed', {});
    expect(session.asked).not.toContain('Debugger.resume');
    session.tell('Debugger.paused', PAUSED);
    expect(session.asked.at(-1)).toBe('Debugger.resume');
    session.answer('Debugger.resume');
    expect((await taking.outcome).type).toBe('stack');
  });

  test('a pause that came to nothing, since the thread was paused, is asked for again', async () => {
    const { session, taking } = setUp();
    session.tell('Debugger.paused', EXCEPTION);
    session.acknowledge();
    session.tell('Debugger.resumed', {});
    expect(session.asked.filter((method) => method === 'Debugger.pause')).toHaveLength(2);
    session.answer('Debugger.pause');
    session.tell('Debugger.paused', PAUSED);
    session.answer('Debugger.resume');
    expect((await taking.outcome).type).toBe('stack');
  });

  test('where it leaves no room, that is said, and the block counts', async () => {
    const { session, taking } = setUp();
    session.acknowledge();
    for (let i = 0; i < 100; i++) {
      session.tell('Debugger.paused', EXCEPTION);
      await vi.advanceTimersByTimeAsync(2);
      session.tell('Debugger.resumed', {});
      session.tell('Debugger.paused', EXCEPTION);
    }
    expect(session.asked.at(-1)).toBe('Debugger.setSkipAllPauses');
    session.answer('Debugger.setSkipAllPauses');
    expect(session.disconnected).toBe(1);
    expect(await taking.outcome).toMatchObject({ type: 'none', why: expect.stringContaining('another tool') });
  });
});

test('whatever comes in whatever order: a pause of ours is resumed in the call that tells of it, and the session ends once', async () => {
  const events = fc.constantFrom('enable', 'pause', 'ours', 'exception', 'resumed', 'skip', 'cancel', 'turns', 'wait');
  await fc.assert(
    fc.asyncProperty(fc.array(events, { maxLength: 25 }), async (order) => {
      const { session, taking, state } = setUp();
      const v8 = { enabled: false, asked: false, paused: false, swallowed: false };
      for (const event of order) {
        if (event === 'enable') session.answer('Debugger.enable');
        if (event === 'pause') {
          session.answer('Debugger.pause');
          v8.asked = !v8.paused;
          v8.swallowed = v8.paused;
        }
        if (event === 'resumed') {
          session.tell('Debugger.resumed', {});
          if (v8.paused && v8.swallowed) Object.assign(v8, { asked: false, swallowed: false });
          v8.paused = false;
        }
        if (event === 'exception') {
          session.tell('Debugger.paused', EXCEPTION);
          v8.paused = true;
        }
        if (event === 'skip') session.answer('Debugger.setSkipAllPauses');
        if (event === 'cancel') taking.cancel();
        if (event === 'turns') state.blocked = false;
        if (event === 'wait') await vi.advanceTimersByTimeAsync(100);
        if (event === 'ours') {
          const resumed = () => session.asked.filter((method) => method === 'Debugger.resume').length;
          const isOurs = v8.enabled && v8.asked && session.disconnected === 0 && resumed() === 0;
          session.tell('Debugger.paused', PAUSED);
          // Nothing that becomes of this thread after the call, its death included, can leave the other one paused.
          if (isOurs) expect(session.asked.at(-1)).toBe('Debugger.resume');
          else v8.paused = true;
        }
        v8.enabled ||= event === 'enable';
      }
      await vi.advanceTimersByTimeAsync(60_000);
      taking.cancel();
      session.acknowledge();
      session.answer('Debugger.setSkipAllPauses');
      await taking.outcome;
      expect(session.disconnected).toBe(1);
    }),
  );
});

describe('late', () => {
  test.each([
    [1_000, 0, true],
    [100, 0, false],
    [1_000, 900, false],
  ])('answered after %i ms, %i of them without a CPU: %s', async (afterMs, withoutCpuMs, late) => {
    const { session, taking, state } = setUp();
    await vi.advanceTimersByTimeAsync(afterMs);
    state.cpuWaitMs = withoutCpuMs;
    session.answer('Runtime.getIsolateId');
    session.acknowledge();
    session.tell('Debugger.paused', PAUSED);
    session.answer('Debugger.resume');
    expect(await taking.outcome).toMatchObject({ stack: { late } });
  });

  test.each([
    [[], ['']],
    [[{}], ['spin', '']],
    [undefined, ['spin', '']],
  ])('the function that has just begun is none that took its time: %j', async (locations, functions) => {
    const { session, taking } = setUp();
    await vi.advanceTimersByTimeAsync(1_000);
    session.answer('Runtime.getIsolateId');
    session.acknowledge();
    const [top, ...rest] = PAUSED.callFrames;
    const functionLocation = { scriptId: '9', lineNumber: 1, columnNumber: 0 };
    session.tell('Debugger.paused', { ...PAUSED, callFrames: [{ ...top, functionLocation }, ...rest] });
    expect(session.asked.at(-1)).toBe('Debugger.resume');
    session.answer('Debugger.getPossibleBreakpoints', { locations });
    session.answer('Debugger.resume');
    const outcome = await taking.outcome;
    expect(outcome.type === 'stack' && outcome.stack.frames.map((frame) => frame.function)).toEqual(functions);
  });

  test('is not what V8 takes to tell of a thousand scripts; that is what it costs', async () => {
    const { session, taking } = setUp();
    await vi.advanceTimersByTimeAsync(20);
    session.answer('Runtime.getIsolateId');
    await vi.advanceTimersByTimeAsync(900);
    session.acknowledge();
    session.tell('Debugger.paused', PAUSED);
    session.answer('Debugger.resume');
    expect(await taking.outcome).toMatchObject({ stack: { late: false }, costMs: 900 });
  });
});

test.each(['the inspector is missing', 'connecting is refused'])('%s: that is said', async (message) => {
  const taking = new TakeStack({
    open: () => {
      throw new Error(message);
    },
    nowMs: () => 0,
    cpuWaitMs: () => 0,
    stillBlocked: () => true,
  });
  expect(await taking.outcome).toMatchObject({ type: 'none', why: `the inspector is not available: ${message}` });
});

test('a source of a megabyte is not copied for one line', () => {
  const { session } = setUp();
  session.tell('Debugger.scriptParsed', { ...SCRIPT, length: 2_000_000 });
  session.acknowledge();
  session.tell('Debugger.paused', PAUSED);
  expect(session.asked).not.toContain('Debugger.getScriptSource');
});

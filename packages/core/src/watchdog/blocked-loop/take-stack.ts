import { messageOf } from '../../message-of.ts';
import { PAUSED_EVIDENCE } from '../../shared/paused-evidence-key.ts';
import type { PausedEvidence } from '../../shared/worker-protocol.ts';
import type { BlockStack } from './explain-block.ts';
import type { InspectorSession } from './inspector-session.ts';
import { type CallFrame, toDumpFrames } from './paused-frames.ts';

/** What came of it. `foreign`: somebody else's debugger keeps the thread paused, which is no block. */
export type StackOutcome = Taken & {
  /** Milliseconds for which the main thread was busy with it, at most. */
  readonly costMs: number;
};

type Taken =
  | { readonly type: 'stack'; readonly stack: BlockStack; readonly evidence: PausedEvidence | undefined }
  | { readonly type: 'foreign' }
  | { readonly type: 'none'; readonly why: string };

/** What it needs from outside. */
export interface TakeStackParts {
  readonly open: () => InspectorSession;
  readonly nowMs: () => number;
  /** Milliseconds that the main thread has ever waited for a CPU; 0 where the system doesn't say. */
  readonly cpuWaitMs: () => number;
  /** Whether the event loop still stands still: a pause after that shows code that has nothing to do with it. */
  readonly stillBlocked: () => boolean;
}

/** From the pause to the end of the session: everything that lets the thread go on has been sent by then. */
const LONGEST_PAUSE_MS = 1_500;
/** JavaScript answers at once. What takes longer, time without a CPU left aside, was native code. */
const NATIVE_MS = 300;
/** A tool that pauses the thread (on exceptions, at log points) lets it go on at once. A debugger whose user looks at it does not. */
const TOOL_PAUSE_MS = 200;
/** Evaluation on the paused thread is ended after this by V8 itself. */
const EVALUATION_MS = 500;
/** Scripts that are longer are bundles: their source would be copied as a whole for one line. */
const LONGEST_SOURCE = 1_000_000;
const LONGEST_LINE = 200;

interface Paused {
  readonly callFrames: readonly CallFrame[];
  readonly reason: string;
  readonly hitBreakpoints?: readonly string[];
}

interface Script {
  readonly scriptId: string;
  readonly url: string;
  readonly length: number | undefined;
}

/**
 * Takes the synchronous stack of the main thread while that is blocked. The main thread can at no point be left paused:
 *
 * - `enable` and `pause` are sent together. A pause that is told before both are acknowledged, hits a breakpoint or has a reason of its
 *   own is somebody else's, who resumes it. A tool does so at once, and is waited for. Of a debugger whose user looks at it the session is
 *   left without resuming, and V8 keeps the thread paused for its owner.
 * - In the very call that hears of the pause everything else is sent, `resume` last. The main thread works that off in order, whatever
 *   becomes of this thread and of the answers.
 * - A session does not end before its pause has come, or can come no more: where other sessions are, V8 would pause for them.
 * - A session that ends takes its pause along: Node leaves the pause when nobody is connected any more.
 * - A tool that asks for a pause at the same moment gets one: V8 pauses once for each request. Only one that asks while the thread is paused
 *   for us shares that pause, and is told of it, with the stack; it ends without its doing.
 */
export class TakeStack {
  readonly outcome: Promise<StackOutcome>;
  readonly #parts: TakeStackParts;
  readonly #beganMs: number;
  readonly #beganCpuWaitMs: number;
  readonly #scripts = new Map<string, Script>();
  #session: InspectorSession | undefined;
  #settle: (outcome: StackOutcome) => void = () => undefined;
  #timer: NodeJS.Timeout | undefined;
  /** When the main thread first answered: what it did until then was not our doing. */
  #answeredMs: number | undefined;
  #enabled = false;
  /** Our request for a pause has been taken: one before that was somebody else's. */
  #asked = false;
  #late = false;
  /** Why it is to be taken back as soon as that is possible. */
  #unwanted: string | undefined;
  /** Paused by us. */
  #paused = false;
  readonly #others = { paused: false, letGoOn: false, tookOurPause: false };

  constructor(parts: TakeStackParts) {
    this.#parts = parts;
    this.#beganMs = parts.nowMs();
    this.#beganCpuWaitMs = parts.cpuWaitMs();
    this.outcome = new Promise((resolve) => {
      this.#settle = resolve;
    });
    this.#begin();
  }

  /** The event loop turns again, or nobody asks any more: the pause that has been asked for is taken back. */
  cancel(): void {
    if (this.#session === undefined || this.#paused) return;
    this.#takeBack('the event loop turned again before its stack could be taken');
  }

  #begin(): void {
    try {
      const session = this.#parts.open();
      this.#session = session;
      session.on('Debugger.scriptParsed', ({ params }) => this.#noteScript(params));
      session.on('Debugger.paused', ({ params }) => this.#orEnd(() => this.#onPaused(params as Paused)));
      session.on('Debugger.resumed', () => this.#onResumed());
      // Its answer needs nothing but a thread that comes by; `enable` takes a while where there are many scripts.
      session.post('Runtime.getIsolateId', {}, () => this.#onAnswered());
      session.post('Debugger.enable', {}, (error) => this.#onEnabled(error));
      // At once: what runs between the two would be taken for what blocks.
      this.#askForPause(session);
    } catch (error) {
      this.#end({ type: 'none', why: `the inspector is not available: ${messageOf(error)}` });
    }
  }

  #onAnswered(): void {
    const { nowMs, cpuWaitMs } = this.#parts;
    this.#answeredMs = nowMs();
    this.#late = this.#answeredMs - this.#beganMs - (cpuWaitMs() - this.#beganCpuWaitMs) > NATIVE_MS;
  }

  #askForPause(session: InspectorSession): void {
    this.#asked = false;
    session.post('Debugger.pause', {}, () => {
      // A thread that is paused already is not paused again.
      this.#others.tookOurPause = this.#others.paused;
      this.#asked = !this.#others.paused;
    });
  }

  #onEnabled(error: Error | null): void {
    if (error !== null) {
      this.#end({ type: 'none', why: `the inspector refused: ${error.message}` });
      return;
    }
    this.#enabled = true;
    if (this.#unwanted !== undefined) this.#takeBack(this.#unwanted);
  }

  /** Whose pause it is resumes it: at once, or it is a debugger. */
  #onPausedByOthers(): void {
    const others = this.#others;
    const isFirst = !others.paused && !others.letGoOn;
    others.paused = true;
    if (!isFirst) return;
    this.#limit(TOOL_PAUSE_MS, () => {
      if (others.paused && !others.letGoOn) this.#end({ type: 'foreign' });
      else this.#takeBack('another tool pauses the main thread again and again, on exceptions for example');
    });
  }

  #onResumed(): void {
    const others = this.#others;
    if (this.#session === undefined || !others.paused) return;
    others.paused = false;
    others.letGoOn = true;
    if (!others.tookOurPause) return;
    others.tookOurPause = false;
    this.#askForPause(this.#session);
  }

  #onPaused({ callFrames, reason, hitBreakpoints = [] }: Paused): void {
    const session = this.#session;
    if (session === undefined || this.#paused) return;
    if (!this.#enabled || !this.#asked || hitBreakpoints.length > 0 || reason !== 'other') {
      this.#onPausedByOthers();
      return;
    }
    this.#paused = true;
    const found: { stack: BlockStack | undefined; evidence: PausedEvidence | undefined; why: string } = {
      stack: undefined,
      evidence: undefined,
      why: 'the event loop turned again before its stack could be taken',
    };
    const finish = () => {
      const { stack, evidence, why } = found;
      this.#end(stack === undefined ? { type: 'none', why } : { type: 'stack', stack, evidence });
    };
    try {
      if (this.#parts.stillBlocked()) {
        const [top] = callFrames;
        found.stack = {
          frames: toDumpFrames(callFrames, (id) => this.#scripts.get(id)?.url),
          source: '',
          late: this.#late,
          heapUsed: undefined,
        };
        this.#ask(session, top, (more) => {
          if (found.stack === undefined) return;
          const { frames } = found.stack;
          found.evidence = more.evidence ?? found.evidence;
          found.stack = {
            ...found.stack,
            // It has done nothing yet: the native code was called before it.
            frames: more.hasJustBegun === true && frames.length > 1 ? frames.slice(1) : frames,
            source: more.source ?? found.stack.source,
            heapUsed: more.evidence?.heapUsed ?? found.stack.heapUsed,
          };
        });
      }
    } catch (error) {
      found.why = `its stack could not be read: ${messageOf(error)}`;
    } finally {
      try {
        session.post('Debugger.resume', {}, finish);
        this.#limit(LONGEST_PAUSE_MS, finish);
      } catch {
        // The end of the session lets the thread go on.
        finish();
      }
    }
  }

  /** Node swallows what a listener throws, and the thread would stay paused. */
  #orEnd(work: () => void): void {
    try {
      work();
    } catch (error) {
      this.#end({ type: 'none', why: `its stack could not be read: ${messageOf(error)}` });
    }
  }

  #ask(
    session: InspectorSession,
    top: CallFrame | undefined,
    told: (more: { source?: string; evidence?: PausedEvidence; hasJustBegun?: boolean }) => void,
  ): void {
    session.post(
      'Runtime.evaluate',
      {
        expression: `globalThis[Symbol.for(${JSON.stringify(PAUSED_EVIDENCE)})]?.()`,
        returnByValue: true,
        silent: true,
        disableBreaks: true,
        timeout: EVALUATION_MS,
      },
      (_error, result) => {
        const evidence = evidenceIn(result);
        if (evidence !== undefined) told({ evidence });
      },
    );
    if (this.#late && top?.functionLocation !== undefined) {
      const { location: end, functionLocation: start } = top;
      session.post('Debugger.getPossibleBreakpoints', { start, end, restrictToFunction: true }, (_error, result) => {
        const { locations } = (result ?? {}) as { locations?: unknown[] };
        told({ hasJustBegun: locations?.length === 0 });
      });
    }
    if (top === undefined || (this.#scripts.get(top.location.scriptId)?.length ?? LONGEST_SOURCE) >= LONGEST_SOURCE)
      return;
    session.post('Debugger.getScriptSource', { scriptId: top.location.scriptId }, (_error, result) => {
      const { scriptSource } = (result ?? {}) as { scriptSource?: string };
      const line = scriptSource?.split('\n')[top.location.lineNumber];
      if (line === undefined) return;
      const from = top.location.columnNumber ?? 0;
      told({ source: line.slice(from, from + LONGEST_LINE) });
    });
  }

  /** No pause comes after the answer; one that came before it has been answered with `resume`. */
  #takeBack(why: string): void {
    const end = () => this.#end({ type: 'none', why });
    try {
      // Whose loop turns answers at once.
      this.#limit(LONGEST_PAUSE_MS, end);
      // The request lies in the main thread's queue, and the pause will come. Without us it would be everybody else's who has a session:
      // they would not know what to do with it, and the thread would stay paused.
      this.#unwanted = why;
      if (!this.#enabled) return;
      this.#session?.post('Debugger.setSkipAllPauses', { skip: true }, () => {
        if (!this.#paused) end();
      });
    } catch {
      end();
    }
  }

  #noteScript(params: unknown): void {
    const script = params as Script;
    this.#scripts.set(script.scriptId, { scriptId: script.scriptId, url: script.url, length: script.length });
  }

  #limit(afterMs: number, then: () => void): void {
    clearTimeout(this.#timer);
    this.#timer = setTimeout(then, afterMs);
  }

  #end(taken: Taken): void {
    clearTimeout(this.#timer);
    const costMs = this.#answeredMs === undefined ? 0 : this.#parts.nowMs() - this.#answeredMs;
    const session = this.#session;
    this.#session = undefined;
    try {
      session?.disconnect();
    } finally {
      this.#settle({ ...taken, costMs });
    }
  }
}

function evidenceIn(result: unknown): PausedEvidence | undefined {
  const { result: answer } = (result ?? {}) as { result?: { value?: unknown } };
  if (typeof answer?.value !== 'string') return undefined;
  try {
    return JSON.parse(answer.value) as PausedEvidence;
  } catch {
    // Cut off, or somebody else's answer: the stack is what matters.
    return undefined;
  }
}

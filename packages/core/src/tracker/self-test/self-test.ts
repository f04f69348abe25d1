import { IncomingMessage, ServerResponse } from 'node:http';
import { Socket } from 'node:net';
import { functionLocation, ownAwait } from '@hangwatch/async-hooks-helpers';
import { HangwatchError, type SelfTestFailure } from '../../errors.ts';
import { kGeneration } from '../../shared/slot-layout.ts';
import type { ToMain } from '../../shared/worker-protocol.ts';
import { HttpSubject } from '../http/http-subject.ts';
import type { ResolvedOptions } from '../options/resolve-options.ts';
import { Rules } from '../options/rules.ts';
import type { State } from '../process/watchdog-thread.ts';
import type { RequestRecord } from '../request-record.ts';
import type { Tracker } from '../tracker.ts';

/** What the watchdog tells of a staged request. */
export type StagedMessage = Extract<ToMain, { type: 'staged-found' | 'staged-posted' }>;

/** A self-test that passed: a hang was staged, found where it is, and acknowledged by a collector. */
export interface SelfTestPassed {
  readonly ok: true;
  /** Id of the dump, in the collector that has it. */
  readonly dumpId: string;
  /** Milliseconds from the beginning of the hang to the watchdog's finding it. */
  readonly detectedMs: number;
  /** Milliseconds from the beginning of the hang to the collector's acknowledgement. */
  readonly acknowledgedMs: number;
  /** Base URL of the collector that has acknowledged, without credentials. */
  readonly collector: string;
}

/** Route of the staged request. */
const ROUTE = 'hangwatch self-test';
/** Nothing that the application has asked for happens to a request of ours: no answer in its place, no name, no rules of a route. */
const STAGED_RULES = {
  timeoutMs: 100,
  maxDurationMs: 0,
  respondStatus: 0,
  abort: false,
  ignore: [],
  routeName: undefined,
  routes: new Map<string, never>(),
};
/** Lines that `hangOnPurpose` has, and as many as a formatter could make of it. */
const LONGEST_FUNCTION = 6;

type Found = Extract<StagedMessage, { type: 'staged-found' }>;
type Posted = Extract<StagedMessage, { type: 'staged-posted' }>;

async function hangOnPurpose(released: Promise<void>): Promise<void> {
  await released;
}

/** Stages hangs in this process, one at a time, and waits for a collector to have heard of them. */
export class SelfTest {
  readonly #tracker: Tracker;
  readonly #options: ResolvedOptions;
  readonly #threadState: () => State;
  #running: Promise<SelfTestPassed> | undefined;
  #staged: Staged | undefined;

  constructor(tracker: Tracker, options: ResolvedOptions, threadState: () => State) {
    this.#tracker = tracker;
    this.#options = options;
    this.#threadState = threadState;
  }

  /**
   * Runs the test; who asks while one is running gets that one's result.
   *
   * @throws {HangwatchError} `HANGWATCH_ERR_SELF_TEST_*`: the step that failed, and why
   */
  run(limitMs: number): Promise<SelfTestPassed> {
    this.#running ??= this.#stage(limitMs).finally(() => {
      this.#running = undefined;
    });
    return this.#running;
  }

  receive(message: StagedMessage): void {
    this.#staged?.receive(message);
  }

  async #stage(limitMs: number): Promise<SelfTestPassed> {
    if (this.#options.collectors.length === 0)
      throw failed('NOT_DELIVERED', 'no collector is configured: reports go to stderr, where nobody acknowledges them');
    const staged = Staged.enter(this.#tracker, this.#options);
    if (staged === undefined) throw failed('NOT_RUNNING', this.#whyNotRunning() ?? 'the table of requests is full');
    this.#staged = staged;
    const began = performance.now();
    let timer: NodeJS.Timeout | undefined;
    const timeUp = new Promise<void>((resolve) => {
      timer = setTimeout(resolve, limitMs);
      timer.unref();
    });
    try {
      // Entering has started the watchdog, where that is possible: what can be told at once is not waited for.
      const whyNot = this.#whyNotRunning();
      if (whyNot !== undefined) throw failed('NOT_RUNNING', whyNot);
      const found = await Promise.race([staged.found, timeUp]);
      const detectedMs = performance.now() - began;
      if (!found) {
        const why = this.#whyNotRunning();
        if (why !== undefined) throw failed('NOT_RUNNING', why);
        throw failed('NOT_DETECTED', `the watchdog has not found the staged hang within ${limitMs} ms`);
      }
      if (!isHere(found)) throw failed('NO_STACK', 'the staged hang was found, but not the function that hangs');
      const posted = await Promise.race([staged.posted, timeUp]);
      if (!posted) throw failed('NOT_DELIVERED', `no collector has answered within ${limitMs} ms`);
      const { dumpId, outcome } = posted;
      if (!outcome.ok) throw failed('NOT_DELIVERED', outcome.reason);
      return { ok: true, dumpId, detectedMs, acknowledgedMs: performance.now() - began, collector: outcome.collector };
    } finally {
      clearTimeout(timer);
      this.#staged = undefined;
      staged.leave();
    }
  }

  #whyNotRunning(): string | undefined {
    switch (this.#threadState()) {
      case 'failed':
        return 'the watchdog could not be started, or died too often (see onInternalError)';
      case 'restarting':
        return 'the watchdog has died, and is about to be started again';
      case 'stopped':
        return 'hangwatch has been closed';
      default:
        return undefined;
    }
  }
}

/** A request as Node would hand it over, of nobody, suspended for good, and what the watchdog says of it. */
class Staged {
  readonly found: Promise<Found>;
  readonly posted: Promise<Posted>;
  readonly #record: RequestRecord;
  readonly #ref: { readonly slot: number | undefined; readonly generation: number | undefined };
  #dumpId: string | undefined;
  #onFound: (message: Found) => void = () => undefined;
  #onPosted: (message: Posted) => void = () => undefined;
  #release: () => void = () => undefined;

  private constructor(record: RequestRecord) {
    this.#record = record;
    this.#ref = { slot: record.slot?.index, generation: record.cells[record.base + kGeneration] };
    this.found = new Promise((resolve) => {
      this.#onFound = resolve;
    });
    this.posted = new Promise((resolve) => {
      this.#onPosted = resolve;
    });
  }

  /** `undefined` where the request cannot be tracked. */
  static enter(tracker: Tracker, options: ResolvedOptions): Staged | undefined {
    const request = new IncomingMessage(new Socket());
    request.method = 'GET';
    request.url = '/';
    const rules = new Rules({ ...options, ...STAGED_RULES });
    const record = tracker.enter(new HttpSubject(request, new ServerResponse(request)), rules);
    if (record === undefined) return undefined;
    record.stage();
    record.setRoute(ROUTE);
    const staged = new Staged(record);
    tracker.run(record, () => {
      const released = new Promise<void>((resolve) => {
        staged.#release = resolve;
      });
      void ownAwait(hangOnPurpose(released));
    });
    return staged;
  }

  /** What is told of an earlier test, one that did not wait long enough, is not of this one. */
  receive(message: StagedMessage): void {
    if (message.type === 'staged-posted') {
      if (message.dumpId === this.#dumpId) this.#onPosted(message);
    } else if (message.slot === this.#ref.slot && message.generation === this.#ref.generation) {
      this.#dumpId = message.dumpId;
      this.#onFound(message);
    }
  }

  leave(): void {
    this.#release();
    this.#record.leave(true);
  }
}

function isHere({ stack }: Found): boolean {
  const [frame] = stack;
  if (frame === undefined) return false;
  const here = functionLocation(hangOnPurpose);
  // Without an inspector only the name can be compared.
  if (here === undefined) return frame.function === hangOnPurpose.name;
  const { file, line } = frame.generated ?? frame;
  return file === here.file && line >= here.line && line <= here.line + LONGEST_FUNCTION;
}

function failed(step: SelfTestFailure, why: string): HangwatchError {
  const what = {
    NOT_RUNNING: 'the watchdog is not running',
    NOT_DETECTED: 'the hang was not detected',
    NO_STACK: 'its stack was not found',
    NOT_DELIVERED: 'its report was not delivered',
  }[step];
  return new HangwatchError(`HANGWATCH_ERR_SELF_TEST_${step}`, `self-test failed, ${what}: ${why}`);
}

import { AsyncResource } from 'node:async_hooks';
import { randomUUID } from 'node:crypto';
import { hostname } from 'node:os';
import { join } from 'node:path';
import { types } from 'node:util';
import { isMainThread, threadId, Worker } from 'node:worker_threads';
import type { DumpCrash } from '@hangwatch/protocol';
import { HangwatchError } from '../../errors.ts';
import { messageOf } from '../../message-of.ts';
import { kCrashTold, kRecordKept, kSession } from '../../shared/slot-layout.ts';
import type {
  DeliveryLosses,
  LastEvidence,
  PauseLimits,
  StuckNotice,
  ToMain,
  ToWatchdog,
  WatchdogSettings,
} from '../../shared/worker-protocol.ts';
import { WORKER_PROTOCOL_VERSION } from '../../shared/worker-protocol.ts';
import { HANGWATCH_VERSION } from '../../version.ts';
import type { EvidenceDesk } from '../evidence/evidence-desk.ts';
import type { Snapshots } from '../evidence/snapshots.ts';
import { runSliced } from '../evidence/time-slice.ts';
import type { ResolvedOptions } from '../options/resolve-options.ts';
import type { StagedMessage } from '../self-test/self-test.ts';
import type { FlightRecorder } from '../table/flight-recorder.ts';
import type { InFlightTable } from '../table/in-flight-table.ts';
import type { StringTable } from '../table/string-table.ts';
import { endThread } from './end-thread.ts';
import { HeartbeatAnswer } from './heartbeat.ts';
import { clusterWorker, helperPoolSize, kernelThread, poolSize } from './own-thread.ts';
import type { ProblemReporter } from './problem-reporter.ts';
import { findWatchdogFile } from './watchdog-file.ts';

/** Restarts after an unasked death, and the pause before each. */
const RESTART_DELAYS_MS = [100, 1_000, 10_000];
const LONGEST_EVIDENCE_WAIT_MS = 1_000;
/** How long the thread's end is waited for, once it has been asked for. */
const LONGEST_END_MS = 1_000;
const PAUSES: PauseLimits = { everyMs: 60_000, share: 0.01 };

/** `idle` until the first request; `failed` for good once it could not be started or died too often. */
export type State = 'idle' | 'running' | 'restarting' | 'failed' | 'stopped';

interface Parts {
  readonly options: ResolvedOptions;
  readonly table: InFlightTable;
  readonly recorder: FlightRecorder;
  readonly strings: StringTable;
  readonly desk: EvidenceDesk;
  readonly problems: ProblemReporter;
  /** Why no await stacks can be taken, where that is so. */
  readonly noAwaitStacks: string | undefined;
  readonly snapshots: Snapshots;
  readonly onStuck: (notice: StuckNotice) => void;
  /** Hears what became of a self-test's staged request. */
  readonly onStaged: (message: StagedMessage) => void;
  /** There is no thread, and there will be none. */
  readonly onFailed: () => void;
}

/** Starts the watchdog's thread, talks to it, and starts it again when it dies. */
export class WatchdogThread {
  readonly #parts: Parts;
  readonly #heartbeat: HeartbeatAnswer;
  readonly #instance = randomUUID();
  #state: State = 'idle';
  #worker: Worker | undefined;
  #restarts = 0;
  #restartTimer: NodeJS.Timeout | undefined;
  /** The thread's events must not run in the context of the request that happened to start it, nor keep that alive. */
  readonly #context = new AsyncResource('hangwatch', { requireManualDestroy: false });

  constructor(parts: Parts) {
    this.#parts = parts;
    this.#heartbeat = new HeartbeatAnswer(parts.table.header);
  }

  get state(): State {
    return this.#state;
  }

  /** Starts the thread unless it runs already. Never throws. */
  start(): void {
    if (this.#state === 'idle') this.#context.runInAsyncScope(() => this.#spawn());
  }

  /** Sends a message, if there is anybody to send it to, and returns whether there was: a thread that starts later is told everything that it must know then. */
  post(message: ToWatchdog): boolean {
    if (this.#state !== 'running' || this.#worker === undefined) return false;
    this.#worker.postMessage(message);
    return true;
  }

  /** Lets the thread deliver what it has, for `deadlineMs` at most, and ends it. */
  async stop(deadlineMs: number): Promise<void> {
    const worker = this.#worker;
    const wasRunning = this.#state === 'running';
    this.#state = 'stopped';
    this.#parts.snapshots.giveUp();
    clearTimeout(this.#restartTimer);
    this.#worker = undefined;
    if (worker === undefined) return;
    if (wasRunning) {
      const stopped = new Promise<void>((resolve) => {
        worker.on('message', (message: ToMain) => {
          if (message.type === 'stopped') resolve();
        });
        worker.once('exit', () => resolve());
        setTimeout(resolve, deadlineMs + 500).unref();
      });
      // Someone waits for us: until the thread has ended it counts as work of this process.
      worker.ref();
      worker.postMessage({ type: 'stop', deadlineMs } satisfies ToWatchdog);
      await stopped;
    }
    await endThread(worker, LONGEST_END_MS);
  }

  /** Has the end of the process reported, and waits for it, for `longestMs` at most. Only for a process that is about to be no more. */
  crash(crash: DumpCrash, evidence: LastEvidence, longestMs: number): void {
    this.#tellEnd({ type: 'crash', crash, evidence, deadlineMs: longestMs }, longestMs);
  }

  /**
   * The process is about to be no more, and there is nothing to tell: waits, as above, until no record tells of it, and the watchdog has no
   * inspector session. Mostly there is neither.
   */
  endQuietly(longestMs: number): void {
    const { header } = this.#parts.table;
    const isAtWork = Atomics.load(header, kRecordKept) !== 0 || Atomics.load(header, kSession) !== 0;
    if (isAtWork) this.#tellEnd({ type: 'quiet-end' }, longestMs);
  }

  #tellEnd(message: Extract<ToWatchdog, { type: 'crash' | 'quiet-end' }>, longestMs: number): void {
    if (!this.post(message)) return;
    Atomics.wait(new Int32Array(this.#parts.table.header.buffer), kCrashTold, 0, longestMs);
  }

  #spawn(): void {
    const { table, strings } = this.#parts;
    // A new watchdog knows nothing of what an earlier one reported: better reported twice than never.
    table.forgetReports();
    const { NODE_OPTIONS: _, ...environment } = process.env;
    try {
      const worker = new Worker(watchdogFile(), {
        name: 'hangwatch',
        workerData: this.#settings(),
        // Nothing of the application's own start-up may run in the watchdog: no loaders, no --inspect, no preloaded APM.
        execArgv: [],
        env: environment,
        resourceLimits: { maxOldGenerationSizeMb: 128, maxYoungGenerationSizeMb: 8 },
      });
      this.#worker = worker;
      this.#state = 'running';
      worker.on('message', (message: ToMain) => this.#receive(message));
      worker.on('error', (error: unknown) => this.#died(worker, error));
      worker.on('exit', (code) => this.#died(worker, new Error(`exit code ${code}`)));
      // After the listeners: adding one for messages makes the port count as work of this process again.
      worker.unref();
    } catch (error) {
      this.#state = 'failed';
      this.#problem(
        'HANGWATCH_ERR_WATCHDOG_START',
        `the watchdog's thread could not be started: ${messageOf(error)}`,
        error,
      );
      this.#parts.onFailed();
      return;
    }
    table.segments.forEach((cells, index) => {
      this.post({ type: 'segment', index, buffer: cells.buffer as SharedArrayBuffer });
    });
    for (const { id, text } of strings.entries()) this.post({ type: 'intern', id, text });
  }

  #receive(message: ToMain): void {
    switch (message.type) {
      case 'ready':
        return;
      case 'beat':
        this.#heartbeat.beat();
        return;
      case 'sample':
      case 'look':
      case 'gather':
        this.#parts.desk.receive(message);
        return;
      case 'hang':
        try {
          const result: unknown = this.#parts.options.onHang?.(message.dump);
          if (types.isPromise(result)) result.then(undefined, (error: unknown) => this.#onHangFailed(error));
        } catch (error) {
          this.#onHangFailed(error);
        }
        return;
      case 'stuck':
        runSliced(
          this.#actOn(message.requests),
          () => undefined,
          (error) =>
            this.#problem('HANGWATCH_ERR_INTERNAL', `acting on stuck requests failed: ${messageOf(error)}`, error),
        );
        return;
      case 'snapshot':
        this.#parts.snapshots.answered(message.id, message.dump);
        return;
      case 'staged-found':
      case 'staged-posted':
        this.#parts.onStaged(message);
        return;
      case 'problem':
        this.#problem(message.code as HangwatchError['code'], message.message);
        return;
      case 'stopped':
        this.#tellLosses(message.counters);
        return;
      default:
        // Node's watch mode sends messages of its own over this port.
        message satisfies never;
    }
  }

  /** `error` and `exit` both come for one death; the second finds the worker forgotten. */
  #died(worker: Worker, error: unknown): void {
    if (this.#worker !== worker || this.#state !== 'running') return;
    this.#worker = undefined;
    this.#parts.snapshots.giveUp();
    const delayMs = RESTART_DELAYS_MS[this.#restarts++];
    const what = `the watchdog's thread died: ${messageOf(error)}`;
    if (delayMs === undefined) {
      this.#state = 'failed';
      this.#problem('HANGWATCH_ERR_WATCHDOG_OFF', `${what}; it is not started again, hangwatch is off`, error);
      this.#parts.onFailed();
      return;
    }
    this.#state = 'restarting';
    this.#problem('HANGWATCH_ERR_WATCHDOG_DIED', `${what}; it is started again in ${delayMs} ms`, error);
    this.#restartTimer = setTimeout(() => this.#spawn(), delayMs);
    this.#restartTimer.unref();
  }

  *#actOn(notices: readonly StuckNotice[]): Generator<undefined, void, void> {
    for (const notice of notices) {
      this.#parts.onStuck(notice);
      yield;
    }
  }

  /** What each loss was for has been said as it happened, once; this is how many there were. */
  #tellLosses({ sent, dropped, stderrLost }: DeliveryLosses): void {
    const lost = dropped + stderrLost;
    if (lost === 0) return;
    const how = [dropped > 0 && `${dropped} dropped`, stderrLost > 0 && `${stderrLost} not taken by stderr either`];
    this.#problem(
      'HANGWATCH_ERR_DELIVERY_REPORTS_LOST',
      `${lost} of ${sent} reports have reached nobody: ${how.filter(Boolean).join(', ')}`,
    );
  }

  #onHangFailed(error: unknown): void {
    this.#problem('HANGWATCH_ERR_CALLBACK', `onHang failed: ${messageOf(error)}`, error);
  }

  #problem(code: HangwatchError['code'], message: string, cause?: unknown): void {
    this.#parts.problems.report(new HangwatchError(code, message, { cause }));
  }

  #settings(): WatchdogSettings {
    const { options, table, recorder } = this.#parts;
    return {
      version: WORKER_PROTOCOL_VERSION,
      header: table.header.buffer as SharedArrayBuffer,
      recorder: recorder.buffer,
      scanIntervalMs: options.scanIntervalMs,
      evidenceWaitMs: LONGEST_EVIDENCE_WAIT_MS,
      collectors: options.collectors,
      token: options.token,
      spoolDir: options.spoolDir,
      service: options.service,
      serviceVersion: options.version,
      hangwatchVersion: HANGWATCH_VERSION,
      instance: this.#instance,
      hostname: hostname(),
      pid: process.pid,
      threadId,
      kernelThread: kernelThread(),
      clusterWorker: clusterWorker(),
      poolSize: poolSize(),
      helperPoolSize: helperPoolSize(),
      blockedLoopMs: options.blockedLoopMs,
      blockedLoopStack: options.blockedLoopStack,
      pauses: PAUSES,
      cwd: process.cwd(),
      nodeVersion: process.version,
      noAwaitStacks: this.#parts.noAwaitStacks,
      startedAtMs: performance.timeOrigin,
      notifyHang: options.onHang !== undefined,
      // The end of a thread of the application is not that of the process.
      keepsRecord: options.exitDelayMs > 0 && isMainThread,
    };
  }
}

function watchdogFile(): string {
  const from = [process.argv[1], join(process.cwd(), 'package.json')].filter((path) => path !== undefined);
  return findWatchdogFile({ self: import.meta.url, from, version: HANGWATCH_VERSION });
}

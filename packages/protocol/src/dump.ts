import type { DumpBlock, DumpThreadPool } from './dump-block.ts';
import type { DumpCrash } from './dump-crash.ts';
import type { DumpRecorder } from './dump-recorder.ts';
import type { DumpRequest } from './dump-request.ts';
import type { DumpWaitFor } from './dump-wait-for.ts';

/** The `schema` field of every dump: name and major version. Within a major version fields are only added. */
export const DUMP_SCHEMA_VERSION = 'hangwatch.dump/1';

/**
 * What a dump reports: a request that hangs (`hang`), that was reported and has finished after all (`recovered`),
 * or that ended otherwise (`gone`, see below); an event loop that stands still (`loop-block`), whose end is told as `recovered` too;
 * what was in flight when somebody asked (`snapshot`); what holds an application that takes too long to close (`shutdown`); the end of a process
 * that had requests in flight, or that an error ended (`crash`); or only how much was held back, where no other dump has come to say it (`suppressed`).
 * Gone: its connection has ended (its client left, or something else cut it off), or hangwatch was told to answer in its place.
 */
export type DumpKind = 'hang' | 'loop-block' | 'recovered' | 'gone' | 'snapshot' | 'shutdown' | 'crash' | 'suppressed';

/**
 * Evidence classes, strongest first. The first watchdogs send few of them; a receiver knows them all, so that a collector
 * need not be newer than the applications that report to it.
 *
 * - `proven-cycle`: the wait-for graph has a cycle that nothing can break
 * - `proven-unreachable`: the garbage collector says that the handler's promise can never settle
 * - `loop-blocked`: the event loop itself stands still
 * - `leaked`: it waits for something that a request holds which has ended
 * - `pool-exhausted`: it waits for a pool of which everything is in use
 * - `no-response`: the handler has finished and nobody has answered
 * - `client-stalled`: the client does not send or does not read
 * - `waiting-outbound`: an outbound call has not been answered
 * - `no-progress`: nothing of the request has moved for the timeout
 * - `chain-stalled`: its own awaits stand still while other work in its context moves
 * - `slow`: it moves, and has been running for longer than `maxDuration`
 * - `on-request`: nothing is wrong; somebody asked what is in flight
 * - `not-closed`: the application is closing, and that takes too long
 * - `crashed`: the process has ended; `crash` says how
 * - `suppressed`: nothing but the count of what storm control held back
 */
export type Evidence =
  | 'proven-cycle'
  | 'proven-unreachable'
  | 'loop-blocked'
  | 'leaked'
  | 'pool-exhausted'
  | 'no-response'
  | 'client-stalled'
  | 'waiting-outbound'
  | 'no-progress'
  | 'chain-stalled'
  | 'slow'
  | 'on-request'
  | 'not-closed'
  | 'crashed'
  | 'suppressed';

/**
 * What hangwatch found at one moment in one process, with every request that was in flight.
 *
 * @example
 * ```ts
 * import type { Dump } from '@hangwatch/protocol';
 *
 * const stuckRoutes = (dump: Dump) => dump.requests.filter((r) => r.state === 'stuck').map((r) => r.route);
 * ```
 */
export interface Dump {
  /** {@link DUMP_SCHEMA_VERSION}. */
  schema: typeof DUMP_SCHEMA_VERSION;
  /** Unique to the dump: a dump sent twice is stored once. 1 to 128 of the characters `A-Z a-z 0-9 . _ -`. */
  id: string;
  kind: DumpKind;
  /** The hang was staged, to prove that reports arrive: no request of anybody hangs. Absent otherwise. */
  selfTest?: boolean | undefined;
  /** When the evidence was taken, ISO 8601 with a time zone. The sender's wall clock, for people to read. */
  at: string;
  /**
   * For `recovered` and `gone`: the `id` of the dump that last reported the request. For `hang`: that of an earlier one about the same
   * requests, which have moved on since and hang elsewhere, or hang where they were merely slow. For `loop-block`: that of the first report of the same
   * block, which had no stack yet. For `shutdown`: that of an earlier one about a request that is in flight.
   */
  follows?: string | undefined;
  process: DumpProcess;
  verdict: DumpVerdict;
  /** All requests in flight, stuck ones first. */
  requests: DumpRequest[];
  /** Only in a dump of kind `crash`. */
  crash?: DumpCrash | undefined;
  /** Who waits for whom, as far as locks, pools and queues tell. */
  waitFor?: DumpWaitFor | undefined;
  /** What happened before. */
  recorder?: DumpRecorder | undefined;
  /** How the evidence was got. */
  evidence?: DumpEvidence | undefined;
  eventLoop: DumpEventLoop;
  /** What keeps the event loop: on a `loop-block`, and on the `recovered` that tells its end. */
  block?: DumpBlock | undefined;
  /** libuv's thread pool, where it has more work than threads. */
  threadPool?: DumpThreadPool | undefined;
  /** Active resources of the process by type, as `process.getActiveResourcesInfo()` names them. */
  resources: Record<string, number>;
  /** What storm control held back since the last dump that was sent. */
  suppressed: DumpSuppressed;
}

/** Who sent the dump. */
export interface DumpProcess {
  service: string;
  hostname: string;
  pid: number;
  /** `worker_threads.threadId` of the thread whose requests these are; not there for the main thread. */
  threadId?: number | undefined;
  /** `cluster.worker.id`, in a worker of Node's cluster module. */
  clusterWorker?: number | undefined;
  /** Unique to one start of one process: in containers `pid` is always the same. */
  instance?: string | undefined;
  /** Version of Node.js. */
  node: string;
  /** Version of the application. */
  version: string;
  /** Version of hangwatch. */
  hangwatch?: string | undefined;
  /** Working directory, so that a reader can show paths relative to it. */
  cwd?: string | undefined;
  uptimeMs: number;
  /** Why no await stacks can be taken in this runtime, where that is so. */
  noAwaitStacks?: string | undefined;
}

/** The strongest evidence in the dump, and the sentence a person reads first. */
export interface DumpVerdict {
  evidence: Evidence;
  summary: string;
  /** Equal for dumps of the same fault: verdict, route and innermost application frames. */
  fingerprint?: string | undefined;
}

/** How the evidence was got. */
export interface DumpEvidence {
  /** False where the main thread did not answer in time: then the table alone speaks. */
  complete: boolean;
  tookMs: number;
  /** What a reader ought to know about it, such as why there are no stacks. */
  note?: string | undefined;
}

/** The main thread's event loop at the time of the dump. */
export interface DumpEventLoop {
  delayP99Ms: number;
  /** 0 (idle) to 1 (busy). */
  utilization: number;
}

/** What storm control held back since the last dump that was sent. */
export interface DumpSuppressed {
  dumps: number;
  requests: number;
}

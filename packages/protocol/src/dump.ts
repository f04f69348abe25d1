/** The `schema` field of every dump: name and major version. Within a major version fields are only added. */
export const DUMP_SCHEMA_VERSION = 'hangwatch.dump/1';

/**
 * What a dump reports: a request that hangs (`hang`), that was reported and has finished after all (`recovered`),
 * or that ended otherwise (`gone`, see below); an event loop that stands still (`loop-block`), whose end is told as `recovered` too;
 * what was in flight when somebody asked (`snapshot`); or the end of a process that had requests in flight, or that an error ended (`crash`).
 * Gone: its client has left, or hangwatch was told to answer in its place.
 */
export type DumpKind = 'hang' | 'loop-block' | 'recovered' | 'gone' | 'snapshot' | 'crash';

/**
 * Evidence classes, strongest first. The first watchdogs send the last three; a receiver knows them all, so that a collector
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
 * - `crashed`: the process has ended; `crash` says how
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
  | 'crashed';

/** Whose code a frame is: the application's, an installed dependency's, Node's own, or hangwatch's. */
export type FrameKind = 'app' | 'dependency' | 'node' | 'hangwatch';

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
   * block, which had no stack yet.
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
}

/** The strongest evidence in the dump, and the sentence a person reads first. */
export interface DumpVerdict {
  evidence: Evidence;
  summary: string;
  /** Equal for dumps of the same fault: verdict, route and innermost application frames. */
  fingerprint?: string | undefined;
}

/** Why one request is called stuck. */
export interface DumpRequestVerdict {
  evidence: Evidence;
  summary: string;
}

/** A request in flight at the time of the dump. */
export interface DumpRequest {
  /** Counts from the start of the process: `#41`. */
  id: number;
  /** Trace id of the request's `traceparent` header. */
  traceId?: string | undefined;
  /** The request's `x-request-id` header. */
  requestId?: string | undefined;
  method: string;
  /** The route's pattern, `/users/:id`. */
  route: string;
  /** The pattern where there is one, otherwise the path with what looks like a value masked. */
  path: string;
  state: 'stuck' | 'moving';
  /** Since the request arrived. */
  elapsedMs: number;
  /** Since it last made progress. */
  idleMs: number;
  /** The timeout that applies to its route. */
  timeoutMs: number;
  checkpoint: DumpCheckpoint;
  /** The last places it has passed, oldest first; the last of them is `checkpoint`. */
  trail?: DumpTrailEntry[] | undefined;
  /** Await stacks, the most telling first; in each the innermost frame first. */
  stacks: DumpFrame[][];
  /** What is known of the stack with the same index in `stacks`. */
  awaits?: DumpAwait[] | undefined;
  /** Outstanding awaits that `stacks` leaves out: cut by a cap, or equal to one that is in it. */
  omittedAwaits?: number | undefined;
  waitsFor: DumpWait[];
  /** The locks, and what else of pools and queues, that it holds, as far as they tell. */
  holds?: DumpHold[] | undefined;
  /** The layer of the framework that was entered last. */
  layer?: DumpLayer | undefined;
  /** What that layer's promise was rejected with. */
  error?: DumpError | undefined;
  /** Asynchronous resources that the request has made and that are pending, at the level `resources`. */
  pending?: DumpPending[] | undefined;
  /** It waits where no await stack can be had: from now on requests of its route note where they make their promises. */
  notesPromises?: boolean | undefined;
  /** Where a request that moves, and does not end, was seen in looks taken before the report, most often first. */
  seenAt?: DumpSeenPlace[] | undefined;
  /** Only on stuck requests. */
  verdict?: DumpRequestVerdict | undefined;
}

/** The last named point that the request passed: `checkpoint('label')`, or the framework phase or layer it entered. */
export interface DumpCheckpoint {
  label: string;
  /** Since it was passed. */
  ageMs: number;
  file?: string | undefined;
  line?: number | undefined;
  column?: number | undefined;
  /** Where the place is in the JavaScript that runs, if a source map says what source that comes from. */
  generated?: DumpPosition | undefined;
}

/** A place that the request has passed on its way to its checkpoint. */
export interface DumpTrailEntry extends DumpCheckpoint {
  /** What the application gave to `checkpoint(label, data)`: bounded, with what looks like a secret redacted. */
  data?: DumpData | undefined;
}

/** How a process has ended. */
export interface DumpCrash {
  /**
   * - `uncaught-exception`, `unhandled-rejection`: by an error that nobody caught, or soon after one
   * - `exit`: by `process.exit`, or because there was nothing left to do, with requests in flight
   * - `died`: without a word, as by SIGKILL, an abort or a segmentation fault. The dump is the last record that was kept for that case, and tells of
   *   the process as it was at `at`
   */
  cause: 'uncaught-exception' | 'unhandled-rejection' | 'exit' | 'died';
  exitCode?: number | undefined;
  error?: DumpError | undefined;
  /** How long before the exit the error was, where the application handles uncaught exceptions itself: it may have ended for another reason. */
  handledMs?: number | undefined;
  /** Only of `died`: how often the record was renewed, so about how much later than `at` the process may have died. */
  renewedEveryMs?: number | undefined;
}

/**
 * The recent past of the process: requests that have ended since, one of which may have done the damage. The entries are a selection,
 * around the requests that the dump is about.
 */
export interface DumpRecorder {
  /** How far back it reaches: what happened before is not known. */
  reachMs: number;
  /** Ages and durations are multiples of about so much. */
  resolutionMs: number;
  /** Oldest first. */
  entries: DumpRecorderEntry[];
  /** Entries within reach that the selection leaves out. */
  omitted: number;
  /** Entries that were overwritten while they were read. */
  torn?: number | undefined;
}

/** Something that happened. */
export interface DumpRecorderEntry {
  /**
   * A receiver shows a type that it does not know as it is.
   *
   * - `started`: one of the requests that the dump is about began
   * - `finished`: a request was answered
   * - `left`: a request's client left before it was
   * - `checkpoint`: a request passed a `checkpoint('label')`
   * - `outbound`: an outbound call of a request ended, well or not; `label` says of what kind it was
   * - `loop-lag`: the event loop was late by `durationMs`
   */
  type: string;
  /** Since it happened. */
  ageMs: number;
  /** The request's number. */
  request?: number | undefined;
  /** Method and route of a request, label of a checkpoint, kind of an outbound call. */
  label?: string | undefined;
  /** How long that took which ended here. */
  durationMs?: number | undefined;
}

/** Data of a checkpoint: JSON of a few levels. */
export type DumpData = string | number | boolean | null | DumpData[] | { [key: string]: DumpData };

/** A layer of the framework: a hook, middleware, handler, or a server's listener. */
export interface DumpLayer {
  /** `middleware authenticate`, `handler listUsers`. */
  label: string;
  file?: string | undefined;
  line?: number | undefined;
  column?: number | undefined;
  /** Where its function is in the JavaScript that runs, if a source map says what source that comes from. */
  generated?: DumpPosition | undefined;
  /** How far it has come, where that is known. */
  outcome?: LayerOutcome | undefined;
  /** Since it was entered. */
  enteredMs: number;
  /** Since its function returned. */
  returnedMs?: number | undefined;
  /** Since the promise that it returned settled, or, where `chain` is true, that of the whole chain of layers. */
  settledMs?: number | undefined;
  /** The whole chain of layers has ended, this one being the last that was entered. */
  chain?: boolean | undefined;
}

/**
 * - `running`: its function has not returned
 * - `returned`: it has returned, and no promise
 * - `pending`: it has returned a promise that has not settled
 * - `fulfilled`, `rejected`: that promise has settled
 * - `threw`: it has thrown
 */
export type LayerOutcome = 'running' | 'returned' | 'pending' | 'fulfilled' | 'rejected' | 'threw';

/** A place at which a request was seen several times. */
export interface DumpSeenPlace {
  frame: DumpFrame;
  times: number;
}

/** Asynchronous resources of one type that were made at one place. */
export interface DumpPending {
  /** As `async_hooks` names it: `Timeout`, `FSREQCALLBACK`, `PROCESSWRAP`. */
  type: string;
  /** How many; 1 where it is left out. */
  count?: number | undefined;
  /** The innermost function of the application, or of a dependency, that made them. */
  function?: string | undefined;
  file?: string | undefined;
  line?: number | undefined;
  column?: number | undefined;
  /** Where that is in the JavaScript that runs, if a source map says what source it comes from. */
  generated?: DumpPosition | undefined;
}

/** An error of the application's. */
export interface DumpError {
  /** Name of its class, or the type of what is no object. */
  class: string;
  /** Where it was made, innermost first. */
  frames: DumpFrame[];
  /** Only where the application asks for it. */
  message?: string | undefined;
}

/** A position in the JavaScript that runs. */
export interface DumpPosition {
  file: string;
  /** Counts from 1. */
  line: number;
  /** Counts from 1; 0 where it is not known. */
  column: number;
}

/** One call site of an await stack: in the source, where the JavaScript that runs has a source map. */
export interface DumpFrame {
  /** Name that the function has in the JavaScript that runs, `''` for an anonymous one and for the top level of a module. */
  function: string;
  /** Path or URL, `''` where V8 knows none. */
  file: string;
  /** Counts from 1; 0 where V8 knows none. */
  line: number;
  /** Counts from 1; 0 where V8 knows none. */
  column: number;
  /** Suspended in an await, rather than on the synchronous stack. */
  async: boolean;
  kind: FrameKind;
  /** Which element of a `Promise.all`, `any` or `allSettled` the stack came through. */
  promiseIndex?: number | undefined;
  /** Where the call site is in the JavaScript that runs, if `file` and `line` are those of its source. */
  generated?: DumpPosition | undefined;
}

/** What belongs to one of a request's stacks. */
export interface DumpAwait {
  /** Since this await began. */
  ageMs: number;
  /** Whether the stack leads to the request's own handler, rather than to other work in its context. */
  own: boolean;
  /** Ids of the requests that wait for the same promise as well. */
  alsoAwaitedBy?: number[] | undefined;
  /** The frames say where the promise was made: who waits for it cannot be seen. */
  created?: boolean | undefined;
}

/** Something the request waits for. */
export interface DumpWait {
  /** What kind of thing: `lock`, `pool`, `import`, `http`. */
  type: string;
  label: string;
  /** For how long it has been waiting. */
  sinceMs: number;
}

/** Something that a request holds. */
export interface DumpHold {
  /** `lock "logging"`. */
  resource: string;
  /** For how long. */
  sinceMs: number;
  /** Where it was acquired, where that is known. */
  site?: DumpFrame | undefined;
}

/** The wait-for graph: who waits for what, and who holds it. */
export interface DumpWaitFor {
  edges: DumpWaitEdge[];
  /**
   * Deadlocks, each as indexes of `edges`: what an edge is held by is the request of the next, and what the last is held by is that of the first.
   * A cycle is only here if it is proven that nobody in it can go on.
   */
  cycles: number[][];
}

/** A request that waits for something, and one of those that hold it. */
export interface DumpWaitEdge {
  /** Number of the request that waits. */
  request: number;
  /** `lock "logging"`. */
  waitsFor: string;
  /** Number of a request in flight that holds it; where nobody in flight does, `holder` says who. */
  heldBy?: number | undefined;
  /** `GET /stock/:sku, which has ended`, `work outside any request`. */
  holder?: string | undefined;
  /** For how long it has been waiting. */
  sinceMs: number;
  /** For how long it is held. */
  heldMs?: number | undefined;
  /** It is not held by them: they wait ahead in a queue in which nobody overtakes. */
  ahead?: boolean | undefined;
  /** How long the wait lasts at most from now, where it has a time-out. */
  timesOutMs?: number | undefined;
  /** Where it waits. */
  site?: DumpFrame | undefined;
  /** Where the holder has acquired it. */
  heldSite?: DumpFrame | undefined;
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

/**
 * Why a thread does not come back to its event loop.
 *
 * - `javascript`: code runs and does not return; `regular-expression`: in a regular expression that backtracks
 * - `native-call`: it computes outside JavaScript: `JSON.parse`, crypto, zlib, an addon
 * - `child-process`, `file-system`, `file-lock`, `network-file-system`, `network`: a synchronous call sleeps in the kernel
 * - `thread-wait`: `Atomics.wait`, or a lock that another thread holds
 * - `garbage-collection`: most of the time went to V8's garbage collector
 * - `cpu-starvation`: it could run, and gets no CPU
 * - `unknown`: the system does not say
 */
export type BlockCause =
  | 'javascript'
  | 'regular-expression'
  | 'native-call'
  | 'child-process'
  | 'file-system'
  | 'file-lock'
  | 'network-file-system'
  | 'network'
  | 'thread-wait'
  | 'garbage-collection'
  | 'cpu-starvation'
  | 'unknown';

/** An event loop that stands still, and what its thread does meanwhile. */
export interface DumpBlock {
  /** For how long; on a `recovered` dump for how long it was in the end. */
  sinceMs: number;
  /** What the kernel says of the thread. */
  state: 'running' | 'sleeping' | 'waiting-for-cpu' | 'unknown';
  cause: BlockCause;
  /** What it does, in words: `runs a regular expression in parse (src/parse.ts:31:20)`. */
  what: string;
  /** The system call it sleeps in: `epoll_wait`. */
  systemCall?: string | undefined;
  /** CPU time of the thread during the block. */
  cpuMs?: number | undefined;
  /** How long it could have run during the block, and no CPU was free. */
  cpuWaitMs?: number | undefined;
  /** Share of its heap's limit that is in use, 0 to 1, where that could be asked. */
  heapUsed?: number | undefined;
  /** Number of the request whose code runs, as the thread itself says. */
  running?: number | undefined;
  /** Where the thread could not be asked: number of the request that was last seen to begin or go on. What runs may be something else. */
  lastRan?: number | undefined;
  /** The synchronous stack, innermost frame first; empty where there is none. */
  stack: DumpFrame[];
  /** Why there is no stack, or when it was taken. */
  stackNote?: string | undefined;
}

/** libuv's thread pool, which file system, DNS, crypto and zlib work of the whole process share. */
export interface DumpThreadPool {
  size: number;
  /** Pieces of work that have been given to it and are not done. */
  pending: number;
  /** What its threads do, as far as the system says. */
  threads: DumpPoolThread[];
}

/** One thread of the pool. */
export interface DumpPoolThread {
  state: 'running' | 'sleeping';
  /** What it does, in words: `reads from a FIFO`. */
  what: string;
  systemCall?: string | undefined;
}

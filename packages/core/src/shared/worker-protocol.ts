import type {
  Dump,
  DumpAwait,
  DumpCheckpoint,
  DumpCrash,
  DumpError,
  DumpFrame,
  DumpHold,
  DumpLayer,
  DumpPending,
  DumpSeenPlace,
  DumpTrailEntry,
  DumpWait,
} from '@hangwatch/protocol';
import type { WaitSnapshot } from './wait-snapshot.ts';

/** Version of the messages below; the first message carries it. */
export const WORKER_PROTOCOL_VERSION = 1;

/** Requests that evidence is gathered of, and that one dump holds: the stuck ones first. The rest is counted in the dump's note. */
export const MAX_REQUESTS = 10_000;

/** What the watchdog's thread is started with. */
export interface WatchdogSettings {
  readonly version: typeof WORKER_PROTOCOL_VERSION;
  readonly header: SharedArrayBuffer;
  readonly recorder: SharedArrayBuffer;
  readonly scanIntervalMs: number;
  readonly evidenceWaitMs: number;
  readonly collectors: readonly string[];
  readonly token: string | undefined;
  readonly spoolDir: string | undefined;
  readonly service: string;
  readonly serviceVersion: string;
  readonly hangwatchVersion: string;
  readonly instance: string;
  readonly hostname: string;
  readonly pid: number;
  /** `worker_threads.threadId` of the thread that is watched; 0: the main thread. */
  readonly threadId: number;
  /** The watched thread's number in `/proc/self/task`, on Linux. */
  readonly kernelThread: number | undefined;
  readonly clusterWorker: number | undefined;
  /** Threads of libuv's pool. */
  readonly poolSize: number;
  /** Threads of V8's platform, on which it collects garbage. */
  readonly helperPoolSize: number;
  /** Milliseconds without a turn of the event loop that are reported; 0: never. */
  readonly blockedLoopMs: number;
  /** Whether a blocked main thread is paused, for as long as it takes to read its stack. */
  readonly blockedLoopStack: boolean;
  readonly pauses: PauseLimits;
  readonly cwd: string;
  readonly nodeVersion: string;
  /** Why no await stacks can be taken, where that is so. */
  readonly noAwaitStacks: string | undefined;
  /** `performance.timeOrigin` of the main thread, for its uptime. */
  readonly startedAtMs: number;
  readonly notifyHang: boolean;
  /** Whether a record is kept of what would be known if the process died. */
  readonly keepsRecord: boolean;
}

/** How often a blocked main thread is paused. */
export interface PauseLimits {
  /** Milliseconds from one pause to the next, at least. */
  readonly everyMs: number;
  /** Share of the main thread's time that pauses take, at most. */
  readonly share: number;
}

/** A slot at one occupation: a slot that was freed and taken again has another generation. */
export interface SlotRef {
  readonly slot: number;
  readonly generation: number;
}

/** What the main thread knows of one request. Ages are milliseconds of the shared clock. */
export interface RequestEvidence extends SlotRef {
  /** The shared clock when it was taken: the ages in it count from there. */
  readonly takenAtMs: number;
  readonly method: string;
  readonly route: string;
  readonly path: string;
  readonly requestId: string | undefined;
  readonly traceId: string | undefined;
  readonly checkpoint: Omit<DumpCheckpoint, 'ageMs'>;
  readonly trail: DumpTrailEntry[];
  readonly stacks: DumpFrame[][];
  readonly awaits: DumpAwait[];
  readonly omittedAwaits: number;
  /** Age of the youngest pending await that leads to the request's own handler; `undefined` where none does. */
  readonly youngestOwnMs: number | undefined;
  readonly waitsFor: DumpWait[];
  /** What it holds of locks, pools and queues. */
  readonly holds?: DumpHold[] | undefined;
  /** The layer that was entered last. */
  readonly layer?: DumpLayer | undefined;
  /** What that layer's promise was rejected with. */
  readonly error?: DumpError | undefined;
  readonly client?: ClientEvidence | undefined;
  /** Awaits outstanding, whether or not anything can be shown of them. */
  readonly outstanding?: number | undefined;
  /** What it has made and is pending still, at the level `resources`. */
  readonly pending?: DumpPending[] | undefined;
  /** From now on requests of its route note where they make their promises. */
  readonly notesPromises?: boolean | undefined;
  /** Where a slow request was seen before, most often first. */
  readonly seenAt?: DumpSeenPlace[] | undefined;
  /** It came back to one of these places from another. */
  readonly seenByTurns?: boolean | undefined;
  /** An upgraded connection or an event stream: silence is its normal state. */
  readonly openEnded: boolean;
}

/** What a request's connection says. */
export interface ClientEvidence {
  /** The response's headers are out. */
  readonly begun: boolean;
  /** The application has written its response to the end. */
  readonly answered: boolean;
  /** Since bytes were last seen to move. */
  readonly sinceMs: number;
  /** The rest of the request's body is waited for: bytes that have come, of how many, as far as is known. */
  readonly upload?: { readonly got: number | undefined; readonly announced: number | undefined };
  /** Bytes of the response that the client has not taken. */
  readonly unreadBytes: number;
  /** Some of these bytes may have been taken: it cannot be seen. */
  readonly unreadAtMost?: boolean;
}

/** A request that is called stuck, and on which the main thread wants to act. */
export interface StuckNotice extends SlotRef {
  readonly summary: string;
}

/** A request whose past the flight recorder is asked for. Method and route are numbers of texts. */
export interface RequestOfInterest {
  readonly request: number;
  readonly method: number;
  readonly route: number;
  /** The shared clock when it entered. */
  readonly startMs: number;
  /** Entries that the recorder had written then. */
  readonly beganAt: number;
  readonly timeoutMs: number;
}

/** Where a request stood that ended before its timeout was over. */
export interface CutOff {
  readonly type: 'cut-off';
  readonly evidence: RequestEvidence;
  readonly began: RequestOfInterest;
  readonly elapsedMs: number;
  readonly idleMs: number;
  readonly timeoutMs: number;
  readonly checkpointAgeMs: number;
  /** How it ended, as the middle of a sentence: `was left by its client`. */
  readonly how: string;
}

/** An application that is closing, and takes too long. */
export interface Closing {
  /** What was called, as the beginning of a sentence: `app.close()`. */
  readonly what: string;
  readonly sinceMs: number;
}

/** The answer to a `look`: `'deferred'` when the main thread's budget for looks is used up. */
export interface LookResult extends SlotRef {
  readonly youngestOwnMs: number | undefined | 'deferred';
  /** The innermost function of the application in its own, or else its oldest await stack. */
  readonly place?: DumpFrame | undefined;
}

/** What the main thread says while it is paused in the middle of a blocked event loop. */
export interface PausedEvidence {
  /** Number of the request whose code runs. */
  readonly running: number | undefined;
  readonly requests: readonly RequestEvidence[];
  /** Share of the heap's limit in use, 0 to 1. */
  readonly heapUsed: number;
}

/** What the main thread says of requests in flight while the process ends. */
export interface LastEvidence {
  readonly requests: readonly RequestEvidence[];
  readonly tookMs: number;
}

/** Counts by type, of `process.getActiveResourcesInfo()`. */
export type ResourceCounts = Record<string, number>;

export interface EventLoopState {
  readonly delayP99Ms: number;
  readonly utilization: number;
}

/** What became of a dump that was posted at once: the collector that took it, or why none did. */
export type PostedNow =
  | { readonly ok: true; readonly collector: string }
  | { readonly ok: false; readonly reason: string };

/** How many reports there were, and how many of them nobody has got. */
export interface DeliveryLosses {
  readonly sent: number;
  readonly dropped: number;
  /** Printed as the last resort, and not taken by stderr. */
  readonly stderrLost: number;
}

/** Main thread to watchdog. */
export type ToWatchdog =
  | { readonly type: 'segment'; readonly index: number; readonly buffer: SharedArrayBuffer }
  | { readonly type: 'intern'; readonly id: number; readonly text: string }
  | { readonly type: 'wake' }
  | {
      readonly type: 'left';
      readonly slot: number;
      readonly generation: number;
      readonly finished: boolean;
      /** The status that hangwatch has answered with in the request's place. */
      readonly answeredStatus?: number | undefined;
      readonly elapsedMs: number;
    }
  | { readonly type: 'look'; readonly id: number; readonly results: readonly LookResult[] }
  | { readonly type: 'evidence-part'; readonly id: number; readonly requests: readonly RequestEvidence[] }
  | {
      readonly type: 'evidence-end';
      readonly id: number;
      /** `undefined` where nobody in flight has a claim. */
      readonly waits?: WaitSnapshot | undefined;
      readonly eventLoop: EventLoopState;
      readonly resources: ResourceCounts;
      readonly tookMs: number;
    }
  /** A request that was not reported has ended from outside, after it had stood still for long. Ages in milliseconds. */
  | CutOff
  /** Somebody asks for a dump of everything in flight; the answer is a `snapshot`. */
  | { readonly type: 'dump'; readonly id: number }
  /** An application does not get closed: what holds it is to be reported. */
  | ({ readonly type: 'closing' } & Closing)
  /** The process ends, and waits until CRASH_TOLD is set, for so long at most. */
  | { readonly type: 'crash'; readonly crash: DumpCrash; readonly evidence: LastEvidence; readonly deadlineMs: number }
  /** The process ends, there is nothing to tell of that, and a record would; it waits as above. */
  | { readonly type: 'quiet-end' }
  | { readonly type: 'stop'; readonly deadlineMs: number };

/** Watchdog to main thread. */
export type ToMain =
  | { readonly type: 'ready' }
  /** Are you there? The answer is in the shared header: it must not need the watchdog's own event loop. */
  | { readonly type: 'beat' }
  /** Look at the byte counters and first waiters of requests older than a scan; measures the loop's delay on the way. */
  | { readonly type: 'sample'; readonly sentAtMs: number; readonly budgetMs: number }
  | { readonly type: 'look'; readonly id: number; readonly slots: readonly SlotRef[] }
  /** Evidence of all requests in flight, the stuck ones first (see `packed-refs.ts`); `only`: of those and no others. */
  | { readonly type: 'gather'; readonly id: number; readonly stuck: Uint32Array; readonly only: boolean }
  | { readonly type: 'hang'; readonly dump: Dump }
  | { readonly type: 'stuck'; readonly requests: readonly StuckNotice[] }
  | { readonly type: 'snapshot'; readonly id: number; readonly dump: Dump | undefined }
  /** The self-test's staged request was found stuck, and its dump is being posted. */
  | ({ readonly type: 'staged-found'; readonly dumpId: string; readonly stack: readonly DumpFrame[] } & SlotRef)
  | { readonly type: 'staged-posted'; readonly dumpId: string; readonly outcome: PostedNow }
  | { readonly type: 'problem'; readonly code: string; readonly message: string }
  | { readonly type: 'stopped'; readonly counters: DeliveryLosses };

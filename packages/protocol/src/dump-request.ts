import type { Evidence } from './dump.ts';
import type { DumpFrame, DumpPosition } from './dump-place.ts';
import type { DumpHold } from './dump-wait-for.ts';

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
  /** Of what it waits for itself no await stack can be had: from now on requests of its route note where they make their promises. */
  notesPromises?: boolean | undefined;
  /** Where a request that moves, and does not end, was seen in looks taken before the report, most often first. */
  seenAt?: DumpSeenPlace[] | undefined;
  /** Id of an earlier request of the dump that stands at the same place: what the two have in common (stacks, trail, what they wait for) is left out here. */
  sameAs?: number | undefined;
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

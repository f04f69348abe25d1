import type { DumpFrame } from './dump-place.ts';

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

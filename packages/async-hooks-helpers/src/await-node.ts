import type { AwaitContext } from './await-context.ts';
import type { CallSite } from './call-site.ts';
import type { OtherWaiters } from './other-waiters.ts';
import type { CapturedStack } from './probe-realm.ts';

/** What only the few awaits of shared promises carry. */
export interface SharedWait {
  /** Later waiters of the same promise that were captured because this one, the first, is still waiting. */
  captures: number;
  /** Captures that turned out to be `await value`, which looks like a second waiter of the function's own promise. */
  wasted: number;
  /** The stack at the moment this await began, unformatted, because it was not the promise's first. */
  captured: CapturedStack | undefined;
  /** The walked stack of a first waiter, taken by the early look while it was the only one. */
  early: readonly CallSite[] | undefined;
}

/** `mark` of a node whose derived promise is itself being waited for. Ticks are never negative. */
export const PAIRED = -1;
const NOT_SEEN_RUNNING = -2;
/** `mark` of a node that was cleared while it waited, because its context was released or full. */
export const LOST = -3;

/**
 * One outstanding await: linked into its context's list when it begins, unlinked when it resumes. Every field is null afterwards: a
 * node may be reached from a live promise for ever, and must keep nothing else alive.
 */
export class AwaitNode {
  /** The promise that is waited for. */
  promise: object | null;
  /** Null as soon as the await has resumed, was evicted, or its context released. */
  context: AwaitContext | null;
  newer: AwaitNode | null = null;
  older: AwaitNode | null = null;
  /** The node of the promise waited for, where that is a derived promise itself: `await value`, `await p.then(…)`. */
  partner: AwaitNode | null = null;
  /** The clock when the await began: an int32, so that it never becomes a heap number. */
  since: number;
  /** `PAIRED`, or the tick in which the function whose promise this node waits for was last known to run. */
  mark: number = NOT_SEEN_RUNNING;
  shared: SharedWait | null = null;
  /** The first await of this await's own derived promise. Not cleared: that promise may be pending for longer. */
  waiter: AwaitNode | null = null;
  /** On the node that a promise is stamped with: who is to hear of further waiters. Not cleared: it forgets by itself. */
  others: OtherWaiters | null = null;

  constructor(promise: object, context: AwaitContext, since: number) {
    this.promise = promise;
    this.context = context;
    this.since = since;
  }
}

/** Cuts every reference the node holds but `waiter` and `others`, whose own nodes are cleared by themselves. Not for a node that is still in a list: `unlink` does both. */
export function clear(node: AwaitNode): void {
  node.promise = null;
  node.context = null;
  node.newer = null;
  node.older = null;
  node.partner = null;
  node.shared = null;
}

export function sharedWaitOf(node: AwaitNode): SharedWait {
  node.shared ??= { captures: 0, wasted: 0, captured: undefined, early: undefined };
  return node.shared;
}

import { type AwaitNode, clear, LOST } from './await-node.ts';
import { Creations, creationCapture } from './creation-capture.ts';
import { liveContexts } from './live-contexts.ts';

/** A context never holds more outstanding awaits than this; over it, the middle of the list goes. */
export const MAX_OUTSTANDING = 4096;
const KEPT_NEWEST = 1536;
const EVICTED_AT_ONCE = 1024;

/** Where the numbers of released contexts go: an interval that outlives its request moves nobody's number. */
const sink = new Uint32Array(1);

/**
 * What one request (or job, or any unit of work) awaits now. Extend it with what else the unit carries; the hooks only touch the fields
 * below, so give all instances the same shape.
 *
 * @example
 * const context = new AwaitContext(new Uint32Array(1), 0);
 * tracker.run(context, handler, request, response);
 * // later
 * context.release();
 */
export class AwaitContext {
  /** Typed array that holds this context's sequence number. @internal written by the hooks */
  cells: Uint32Array;
  /** Index of the sequence number in `cells`: one more for each await begun and each resumed. @internal */
  sequenceAt: number;
  /** @internal */
  newest: AwaitNode | null = null;
  /** @internal */
  oldest: AwaitNode | null = null;
  /** @internal */
  count = 0;
  /** @internal */
  live = true;
  /** What is noted as running when an await of this context resumes; see the tracker's option `running`. */
  readonly number: number;
  /** Whether awaits were dropped from the list because there were too many. @internal */
  hasEvicted = false;
  /** Where promises were made, if asked to note it. @internal */
  creations: Creations | null = null;

  /**
   * @param cells typed array with a sequence number, usually over shared memory
   * @param sequenceAt index of that number
   * @param number what the context is called in the tracker's `running` cell
   */
  constructor(cells: Uint32Array, sequenceAt: number, number = 0) {
    this.number = number;
    this.cells = cells;
    this.sequenceAt = sequenceAt;
    liveContexts.opened();
  }

  /** How many awaits have begun in this context and have not resumed. */
  get outstanding(): number {
    return this.count;
  }

  /** Whether `release` has been called. */
  get released(): boolean {
    return !this.live;
  }

  /** Whether `captureCreations` has been called. */
  get capturesCreations(): boolean {
    return this.creations !== null;
  }

  /**
   * From here on notes where each promise of this context is made: 1 to 2 microseconds a promise, for the first 512. For code that was compiled
   * to generators, which is suspended in no `await`: its stacks have no frames, and `created` is what can be said.
   */
  captureCreations(): void {
    if (!this.live || this.creations !== null) return;
    this.creations = new Creations();
    creationCapture.contexts += 1;
  }

  /**
   * The unit of work is over: forgets its awaits and moves nobody's number from here on. Whatever outlives the unit (an interval, a
   * client created lazily) keeps this object alive, but nothing through it. Idempotent.
   */
  release(): void {
    if (!this.live) return;
    this.live = false;
    if (this.creations !== null) {
      this.creations = null;
      creationCapture.contexts -= 1;
    }
    this.cells = sink;
    this.sequenceAt = 0;
    let node = this.newest;
    this.newest = null;
    this.oldest = null;
    this.count = 0;
    while (node !== null) {
      const { older } = node;
      clear(node);
      node.mark = LOST;
      node = older;
    }
    liveContexts.closed();
  }
}

/**
 * The context of awaits outside any: they are in no list (it would keep abandoned promises alive), but they are waiters of their promise.
 */
export const outside: AwaitContext = new AwaitContext(new Uint32Array(1), 0);
liveContexts.closed();

/** Puts a node at the newest end. Returns how many nodes were dropped from the middle to make room. */
export function link(context: AwaitContext, node: AwaitNode): number {
  const { newest } = context;
  node.older = newest;
  if (newest === null) context.oldest = node;
  else newest.newer = node;
  context.newest = node;
  context.count += 1;
  return context.count > MAX_OUTSTANDING ? evictMiddle(context) : 0;
}

/** Takes a linked node out of its context's list and clears it. */
export function unlink(node: AwaitNode): void {
  const { context, newer, older } = node;
  if (context !== null && context !== outside) {
    if (newer === null) context.newest = older;
    else newer.older = older;
    if (older === null) context.oldest = newer;
    else older.newer = newer;
    context.count -= 1;
  }
  clear(node);
}

/** In batches, so that the walk over the newest is paid once in a thousand awaits. Neither end is touched: one may be the culprit. */
function evictMiddle(context: AwaitContext): number {
  context.hasEvicted = true;
  let node = context.newest;
  for (let i = 0; i < KEPT_NEWEST && node !== null; i++) node = node.older;
  let dropped = 0;
  while (node !== null && dropped < EVICTED_AT_ONCE) {
    const { older }: AwaitNode = node;
    unlink(node);
    node.mark = LOST;
    dropped += 1;
    node = older;
  }
  return dropped;
}

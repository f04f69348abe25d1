import { type AwaitNode, LOST } from './await-node.ts';
import { firstWaiterOf, stampOf } from './promise-stamp.ts';

/**
 * Who else waits for a promise that {@link ownAwaitIgnored} waits for: whether its rejection is the application's to handle, or would
 * have gone unhandled without us.
 *
 * What makes it hard: an async function's `await value` (of what is no promise) looks, to promise hooks, like somebody's wait for that
 * function's own promise. But such a wait is over before the promise settles, and there is one at a time.
 */
export class OtherWaiters {
  /** The node that leads here may be the stamp of a second promise, whose waiters are none of ours. */
  #promise: object | undefined;
  /** Was waiting before we were. */
  readonly #before: AwaitNode | undefined;
  /** Whether somebody waited before us, as far as is known. */
  #handledBefore: boolean;
  /** Whether the promise has a past, in which it may have settled. */
  readonly #hasPast: boolean;
  #after: AwaitNode | undefined = undefined;
  #several = false;
  #settled = false;

  constructor(promise: object) {
    this.#promise = promise;
    this.#before = firstWaiterOf(promise);
    this.#hasPast = stampOf(promise) !== undefined;
    this.#handledBefore = this.#hasPast;
  }

  /** Called once we wait ourselves. */
  weWait(): void {
    if (!this.#hasPast) return;
    // If the promise had settled, we have resumed by then: our own microtask was queued earlier. Otherwise `await value` has resumed,
    // and what waits for the promise itself has not.
    queueMicrotask(() => {
      if (!this.#settled) this.#handledBefore = this.#before !== undefined && waits(this.#before);
    });
  }

  /** Called by the hooks for each wait that begins after ours. */
  saw(promise: object, node: AwaitNode): void {
    if (promise !== this.#promise) return;
    if (this.#settled || (this.#after !== undefined && waits(this.#after))) this.#several = true;
    else this.#after = node;
  }

  /** Called when our own wait has resumed with a rejection. Whoever came after us has not resumed yet. */
  handledSoFar(): boolean {
    this.#settled = true;
    return this.#handledBefore || this.#several || (this.#after !== undefined && waits(this.#after));
  }

  /** Whether somebody came even later. */
  handledSince(): boolean {
    return this.#several;
  }

  /** The promise has settled, and nothing more is asked: it is kept no longer. */
  forget(): void {
    this.#promise = undefined;
  }
}

/** Of a node that was cleared while it waited nobody knows the end: then it waits still. A rejection is rather handled too often than never. */
function waits(node: AwaitNode): boolean {
  return node.context !== null || node.mark === LOST;
}

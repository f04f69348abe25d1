import type { AsyncLocalStorage } from 'node:async_hooks';
import { type AwaitContext, link, outside, unlink } from './await-context.ts';
import { AwaitNode, PAIRED, sharedWaitOf } from './await-node.ts';
import type { CapturedStack } from './probe-realm.ts';
import { probing } from './process-wide.ts';
import { firstWaiterOf, moveFirstWaiter, nodeOfDerived, stampDerived, stampFirstWaiter } from './promise-stamp.ts';

/** Captured stacks a promise: the innermost frame of four waiters tells as much as that of forty. */
const CAPTURES_A_PROMISE = 4;
const WASTED_A_PROMISE = 8;
/** Ticks stay small integers and positive. */
const TICK_MASK = 0x3fff_ffff;

/** What the tracker counts about itself. All only grow. */
export interface AwaitStats {
  /** Stacks captured because a promise that is still waited for was awaited again. */
  captures: number;
  /** Captures not made because the budget or the promise's own allowance was used up. */
  capturesDenied: number;
  /** Captures that were thrown away: `await value` in a function whose own promise is awaited looks like a second waiter. */
  capturesWasted: number;
  /** Outstanding awaits dropped from the middle of a context's list, over 4,096. */
  evicted: number;
  /** Errors caught in the hooks' own bodies (a stack overflow of the application's, a promise that takes no stamp): awaits not tracked. */
  failures: number;
}

/** What the hooks read: replaced as a whole by the tracker's options. */
export interface HookState {
  storage: AsyncLocalStorage<AwaitContext>;
  clock: Uint32Array;
  budget: Int32Array;
  capture: ((above: (...args: never[]) => unknown) => CapturedStack) | undefined;
  readonly stats: AwaitStats;
}

export interface PromiseHooks {
  onInit(promise: object, parent: object | undefined): void;
  onBefore(promise: object): void;
}

/**
 * The two hooks. `onInit` with a parent is an await or a `then` that begins (`promise` is its derived promise, `parent` what it waits
 * for), `onBefore` one that resumes. https://nodejs.org/docs/latest-v24.x/api/v8.html#promise-hooks
 *
 * An error that leaves a hook ends the process, so nothing does.
 */
export function createAwaitHooks(state: HookState): PromiseHooks {
  const { storage, stats } = state;
  /** Which run of which reaction we are in: tells that a function is running now without keeping its promise alive. */
  let tick = 0;

  function onInit(promise: object, parent: object | undefined): void {
    if (parent === undefined || probing.depth !== 0) return;
    try {
      begin(promise, parent);
    } catch {
      stats.failures += 1;
    }
  }

  function begin(promise: object, parent: object): void {
    let context = storage.getStore();
    if (context === undefined || !context.live) context = outside;
    else context.cells[context.sequenceAt] = (context.cells[context.sequenceAt] as number) + 1;
    const node = new AwaitNode(parent, context, (state.clock[0] as number) | 0);
    // Stamped first: should the promise refuse, nothing is linked that nobody would unlink.
    stampDerived(promise, node);
    const earlier = nodeOfDerived(parent);
    if (earlier !== undefined && earlier.context !== null) pair(node, earlier);
    if (context !== outside) stats.evicted += link(context, node);
    const first = firstWaiterOf(parent);
    if (first === undefined) stampFirstWaiter(parent, node);
    else if (first.context === null || looksLikeAwaitValue(first, node)) moveFirstWaiter(parent, node);
    else if (first.mark !== tick) again(first, node, context);
  }

  /**
   * `await value` fires twice: the wrapper with the running function's own promise as parent, then the throwaway with the wrapper as
   * parent. No `onBefore` comes for such a wrapper, so its node goes with the throwaway's. `await p.then(…)` looks the same here, and
   * there the earlier node must stay: it is the one that waits for `p`.
   */
  function pair(node: AwaitNode, earlier: AwaitNode): void {
    node.partner = earlier;
    earlier.mark = PAIRED;
    const { shared } = earlier;
    if (shared !== null && shared.captured !== undefined) retract(earlier);
  }

  /** A wrapper's node resumes before anything else can happen to the clock; a `then` chain's, as a rule, later. */
  function looksLikeAwaitValue(first: AwaitNode, node: AwaitNode): boolean {
    return first.mark === PAIRED && first.since === node.since;
  }

  /** The captured second waiter was the wrapper of an `await value`, or the allowance is given back for nothing: both are harmless. */
  function retract(node: AwaitNode): void {
    const first = node.promise === null ? undefined : firstWaiterOf(node.promise);
    const shared = first === undefined ? null : first.shared;
    if (shared === null) return;
    shared.captures -= 1;
    shared.wasted += 1;
    stats.capturesWasted += 1;
  }

  /** A promise whose first waiter still waits is awaited again: V8 can't walk through it any more, so this waiter's stack is kept. */
  function again(first: AwaitNode, node: AwaitNode, context: AwaitContext): void {
    if (context === outside || state.capture === undefined) return;
    const shared = sharedWaitOf(first);
    const left = state.budget[0] as number;
    if (left <= 0 || shared.captures >= CAPTURES_A_PROMISE || shared.wasted >= WASTED_A_PROMISE) {
      stats.capturesDenied += 1;
      return;
    }
    state.budget[0] = left - 1;
    shared.captures += 1;
    stats.captures += 1;
    sharedWaitOf(node).captured = state.capture(onInit);
  }

  function onBefore(promise: object): void {
    if (probing.depth !== 0) return;
    try {
      resume(promise);
    } catch {
      stats.failures += 1;
    }
  }

  function resume(promise: object): void {
    tick = (tick + 1) & TICK_MASK;
    const node = nodeOfDerived(promise);
    if (node === undefined) return;
    const { context, partner } = node;
    if (context === null) return;
    context.cells[context.sequenceAt] = (context.cells[context.sequenceAt] as number) + 1;
    if (partner !== null && partner.promise !== null) {
      // `partner.promise` is the promise of the function that runs now: its next `await value` is no second waiter.
      const first = firstWaiterOf(partner.promise);
      if (first !== undefined) first.mark = tick;
      unlink(partner);
    }
    unlink(node);
  }

  return { onInit, onBefore };
}

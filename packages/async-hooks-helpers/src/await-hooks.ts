import type { AsyncLocalStorage } from 'node:async_hooks';
import { AwaitContext, link, outside, unlink } from './await-context.ts';
import { AwaitNode, PAIRED, sharedWaitOf } from './await-node.ts';
import { creationCapture } from './creation-capture.ts';
import type { CapturedStack } from './probe-realm.ts';
import { probing } from './process-wide.ts';
import { awaitOfDerived, firstWaiterOf, setFirstWaiter, stamp, stampOf } from './promise-stamp.ts';

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
  /** Stacks captured where promises were made, in contexts that asked for it. */
  creations: number;
  /** Outstanding awaits dropped from the middle of a context's list, over 4,096. */
  evicted: number;
  /** Errors caught in the hooks: a capture at the end of the stack, a frozen promise that takes no stamp. */
  failures: number;
}

/**
 * How to stamp the application's promises. Private fields go on frozen objects; there is a proposal that they should not
 * (https://github.com/tc39/proposal-nonextensible-applies-to-private). Where they don't, an await of a frozen promise is not noticed as its first.
 */
export function awaitedStamp(stats: AwaitStats): HookState['stampAwaited'] {
  try {
    const context = new AwaitContext(new Uint32Array(1), 0);
    context.release();
    stamp(Object.freeze({}), new AwaitNode({}, context, 0));
    return stamp;
  } catch {
    return (promise, node) => {
      try {
        stamp(promise, node);
      } catch {
        stats.failures += 1;
      }
    };
  }
}

/** What the hooks read: replaced as a whole by the tracker's options. */
export interface HookState {
  storage: AsyncLocalStorage<AwaitContext>;
  clock: Uint32Array;
  budget: Int32Array;
  /** `running[0]` is the number of the context that began or went on last. */
  running: Uint32Array;
  capture: ((above: (...args: never[]) => unknown) => CapturedStack) | undefined;
  /** Stamps a promise of the application's that is awaited for the first time. */
  stampAwaited: (promise: object, node: AwaitNode) => void;
  readonly stats: AwaitStats;
}

/** Whether the hooks are in place. */
export const promiseHooks = { installed: false };

export interface PromiseHooks {
  onInit(promise: object, parent: object | undefined): void;
  onBefore(promise: object): void;
}

/**
 * The two hooks. `onInit` with a parent is an await or a `then` that begins (`promise` is its derived promise, `parent` what it waits
 * for), `onBefore` one that resumes. https://nodejs.org/docs/latest-v24.x/api/v8.html#promise-hooks
 *
 * An error that leaves a hook ends the process. There is no `try` around them because that alone costs 25 ns an await (V8 then doesn't
 * inline the stamp's constructor): nothing on this path can throw, and what could is wrapped where it is.
 */
export function createAwaitHooks(state: HookState): PromiseHooks {
  const { storage, stats } = state;
  /** Which run of which reaction we are in: tells that a function is running now without keeping its promise alive. */
  let tick = 0;

  function onInit(promise: object, parent: object | undefined): void {
    if (parent === undefined) {
      if (creationCapture.contexts !== 0) made(promise);
      return;
    }
    if (probing.depth !== 0) return;
    let context = storage.getStore();
    // Not `!context.live`: somebody may have put something else into the storage.
    if (context === undefined || context === null || context.live !== true) context = outside;
    else context.cells[context.sequenceAt] = (context.cells[context.sequenceAt] as number) + 1;
    const node = new AwaitNode(parent, context, (state.clock[0] as number) | 0);
    stamp(promise, node);
    if (context !== outside) stats.evicted += link(context, node);
    const present = stampOf(parent);
    if (present === undefined) {
      state.stampAwaited(parent, node);
      return;
    }
    if (present.others !== null) present.others.saw(parent, node);
    let first: AwaitNode | null = present;
    if (present.promise !== parent) {
      if (present.context !== null) pair(node, present);
      first = present.waiter;
    }
    if (first === null || first.context === null || looksLikeAwaitValue(first, node))
      setFirstWaiter(parent, present, node);
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
    try {
      sharedWaitOf(node).captured = state.capture(onInit);
    } catch {
      // The stack is too deep for one more call, most likely. The application's own error will come of that.
      stats.failures += 1;
    }
  }

  /** A promise that no await or `then` made, in a process where some context wants to know where. */
  function made(promise: object): void {
    const creations = probing.depth === 0 ? storage.getStore()?.creations : null;
    if (creations === null || creations === undefined || creations.full || state.capture === undefined) return;
    try {
      creations.note(promise, state.capture(onInit));
      stats.creations += 1;
    } catch {
      stats.failures += 1;
    }
  }

  function onBefore(promise: object): void {
    if (probing.depth !== 0) return;
    tick = (tick + 1) & TICK_MASK;
    const node = awaitOfDerived(promise);
    if (node === undefined) return;
    const { context, partner } = node;
    if (context !== null) {
      context.cells[context.sequenceAt] = (context.cells[context.sequenceAt] as number) + 1;
      state.running[0] = context.number;
    }
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

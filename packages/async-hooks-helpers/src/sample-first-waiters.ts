import type { AwaitContext } from './await-context.ts';
import { type AwaitNode, sharedWaitOf } from './await-node.ts';
import { DEFAULT_FRAME_LIMIT, frameWalker } from './frame-walker.ts';
import { firstWaiterOf } from './promise-stamp.ts';

/** Awaits looked at for each one walked, so that a context with thousands costs no more than its limit. */
const LOOKED_AT_A_WALK = 8;

/**
 * The early look: walks what a context awaits now and keeps the stacks with the awaits, for the case that a promise gets a second waiter
 * later (V8 can't walk through it then, and the first waiter's stack is the one that nobody captured). Newest awaits first; what has been
 * looked at before is passed over. About 10 microseconds a stack; only from a macrotask.
 *
 * @param limit most stacks to take
 * @default limit 32
 */
export function sampleFirstWaiters(context: AwaitContext, limit = 32): void {
  const walker = frameWalker();
  if (walker === undefined || limit <= 0) return;
  const nodes: AwaitNode[] = [];
  const promises: object[] = [];
  let looked = 0;
  for (
    let node = context.newest;
    node !== null && nodes.length < limit && looked < limit * LOOKED_AT_A_WALK;
    node = node.older
  ) {
    looked += 1;
    const { promise } = node;
    if (promise === null || firstWaiterOf(promise) !== node || node.shared?.early !== undefined) continue;
    nodes.push(node);
    promises.push(promise);
  }
  const stacks = walker.walkAll(promises, DEFAULT_FRAME_LIMIT, walker.callSites());
  nodes.forEach((node, i) => {
    const frames = stacks[i] ?? [];
    if (frames.length > 0) sharedWaitOf(node).early = frames;
  });
}

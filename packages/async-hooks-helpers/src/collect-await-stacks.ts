import type { AwaitContext } from './await-context.ts';
import type { AwaitNode } from './await-node.ts';
import type { CallSite } from './call-site.ts';
import { ContextCollection } from './context-collection.ts';
import { frameWalker } from './frame-walker.ts';

/** One thing that a context waits for, with the functions that are suspended until it comes. */
export interface AwaitStack {
  /** Innermost first. Where `own`, without the frame of this package that it ends in: empty if that awaits the promise itself. */
  readonly frames: readonly CallSite[];
  /** The clock when the innermost await began, in the clock's unit. */
  readonly sinceClock: number;
  /** Age of the innermost await, in milliseconds. */
  readonly ageMs: number;
  /** Age of the youngest await on the stack, in milliseconds: how long ago this stack has last changed. */
  readonly latestAgeMs: number;
  /** Whether it ends in `ownAwait` or `runOwn`: what the context itself is waiting for. */
  readonly own: boolean;
  /** How many awaits of the context show this very stack. */
  readonly count: number;
  /** Other contexts, of those asked for, that await the same promise. */
  readonly alsoAwaitedBy: readonly AwaitContext[];
  /** Whether the innermost part was captured when the await began, or seen by an early look, because the promise has several waiters. */
  readonly captured: boolean;
  /**
   * Where the promise was made, innermost first, in a context that was asked to note it (`captureCreations`). Of code compiled to
   * generators this is all there is: such a stack has no frames.
   */
  readonly created: readonly CallSite[] | undefined;
  /** The promise waited for. Don't keep it: what is never collected can't be proven dead. */
  readonly promise: Promise<unknown> | undefined;
}

/** Pieces of work of a tenth of a microsecond in one slice. */
const SMALL_STEPS = 64;

/**
 * The await stacks of contexts, after the fact. A generator, so that the caller can spread the work: it yields every few microseconds
 * (a probe of up to four promises is the longest step), and returns the stacks of each context: own ones first, then the
 * oldest, then the deepest. Equal stacks and suffixes of longer ones are dropped; fragments around shared promises are joined.
 *
 * Awaits that resume while it is being run are left out. Run it from macrotasks only, unless the process is about to end.
 *
 * @param result filled context by context, in their order: whoever stops before the end has what there is by then
 * @example
 * const collection = collectAwaitStacks([context]);
 * let step = collection.next();
 * while (!step.done) step = collection.next(); // or come back in a later macrotask
 * console.log(step.value.get(context));
 */
export function* collectAwaitStacks(
  contexts: Iterable<AwaitContext>,
  result = new Map<AwaitContext, AwaitStack[]>(),
): Generator<undefined, Map<AwaitContext, AwaitStack[]>, void> {
  const walker = frameWalker();
  const lists = new Map<AwaitContext, AwaitNode[]>();
  const waiters = new Map<object, AwaitContext | AwaitContext[]>();
  let steps = 0;
  for (const context of contexts) {
    const nodes: AwaitNode[] = [];
    // No yield inside: the application would change the list under us. 4,096 nodes are some 30 microseconds.
    for (let node = context.oldest; node !== null; node = node.newer) nodes.push(node);
    lists.set(context, nodes);
    for (const node of nodes) {
      if (node.promise !== null) noteWaiter(waiters, node.promise, context);
      if (++steps % SMALL_STEPS === 0) yield;
    }
    if (++steps % SMALL_STEPS === 0) yield;
  }
  const callSites = walker?.callSites();
  for (const [context, nodes] of lists) {
    if (nodes.length === 0 || walker === undefined || callSites === undefined) {
      result.set(context, []);
      continue;
    }
    const others = (promise: object): readonly AwaitContext[] => othersThan(context, waiters.get(promise));
    result.set(context, yield* new ContextCollection(walker, callSites, others).stacks(context, nodes));
    yield;
  }
  return result;
}

function noteWaiter(waiters: Map<object, AwaitContext | AwaitContext[]>, promise: object, context: AwaitContext): void {
  const known = waiters.get(promise);
  if (known === undefined) waiters.set(promise, context);
  else if (Array.isArray(known)) {
    if (known.at(-1) !== context) known.push(context);
  } else if (known !== context) waiters.set(promise, [known, context]);
}

function othersThan(
  context: AwaitContext,
  waiters: AwaitContext | AwaitContext[] | undefined,
): readonly AwaitContext[] {
  return Array.isArray(waiters) ? waiters.filter((other) => other !== context) : [];
}

import type { AwaitContext } from './await-context.ts';
import type { AwaitNode } from './await-node.ts';
import type { CallSite, CallSites } from './call-site.ts';
import { DEFAULT_FRAME_LIMIT, type FrameWalker, frameWalker } from './frame-walker.ts';

/** Awaits of one context that are looked at: with more, nothing is said. */
const MAX_AWAITS = 512;
/** Promises in one probe. */
const BATCH = 4;

/** Which promises a caller of {@link awaitsOnly} knows. */
export interface KnownPromises {
  /** Whether it is known who settles this promise. */
  has(promise: object): boolean;
}

/**
 * Whether everything that a context awaits leads to promises that are known: each outstanding await is one of a known promise, or a caller
 * further out of a function that is suspended in one. A generator, as {@link collectAwaitStacks} is; to be run from macrotasks only.
 *
 * V8 gives frames and not which of several runs of a function they belong to. So they are counted: a stack of five frames is five outstanding
 * awaits of this context, whose own stacks are the five ends of it, and whatever is left over on either side is not explained. `false`
 * therefore also says that it cannot be told: for promises with several waiters, in code compiled to generators, above a bound.
 *
 * @param known promises that only somebody who is known settles
 * @param own what the context's own chain (`ownAwait`) has returned: whoever waits for that waits for what it waits for
 */
export function* awaitsOnly(
  context: AwaitContext,
  known: KnownPromises,
  own: object | undefined,
): Generator<undefined, boolean, void> {
  const walker = frameWalker();
  if (walker === undefined || context.released || context.hasEvicted || context.count > MAX_AWAITS) return false;
  const nodes: AwaitNode[] = [];
  for (let node = context.oldest; node !== null; node = node.newer) nodes.push(node);
  const callSites = walker.callSites();
  const ends = new StackEnds();
  const others: { node: AwaitNode; frames: readonly CallSite[] }[] = [];
  let roots = 0;
  for (let at = 0; at < nodes.length; at += BATCH) {
    const batch = nodes.slice(at, at + BATCH);
    const stacks = walkAll(walker, batch, callSites);
    if (stacks === undefined) return false;
    for (const [i, node] of batch.entries()) {
      const walked = stacks[i] ?? [];
      if (walked.length >= DEFAULT_FRAME_LIMIT) return false;
      const frames = ownPart(walked, walker);
      if (node.promise !== null && known.has(node.promise)) {
        roots += 1;
        ends.expect(frames);
      } else others.push({ node, frames });
    }
    yield;
  }
  if (roots === 0) return false;
  for (const { node, frames } of others) {
    if (node.promise === own && own !== undefined) continue;
    // `then` on something known: whoever waits for what that returns.
    if (isChained(node, known)) continue;
    if (!ends.take(frames)) return false;
  }
  return ends.allTaken;
}

function walkAll(walker: FrameWalker, nodes: readonly AwaitNode[], callSites: CallSites): CallSite[][] | undefined {
  const promises: object[] = [];
  for (const { promise } of nodes) {
    // Resumed meanwhile: the list is no longer what it was.
    if (promise === null) return undefined;
    promises.push(promise);
  }
  return walker.walkAll(promises, DEFAULT_FRAME_LIMIT, callSites);
}

/** Up to the frame in which the context's own chain ends: what is further out is not of this context. */
function ownPart(frames: readonly CallSite[], walker: FrameWalker): readonly CallSite[] {
  const end = frames.findLastIndex((frame) => walker.own.has(frame));
  return end === -1 ? frames : frames.slice(0, end + 1);
}

function isChained(node: AwaitNode, known: KnownPromises): boolean {
  let partner = node.partner;
  for (let depth = 0; partner !== null && depth < MAX_AWAITS; depth++) {
    if (partner.promise === null) return false;
    if (known.has(partner.promise)) return true;
    partner = partner.partner;
  }
  return false;
}

/** The stacks that outstanding awaits further out must have, and how many of each. */
class StackEnds {
  readonly #ids = new Map<CallSite, number>();
  readonly #expected = new Map<string, number>();
  /** Ends that several ways lead to, through a `Promise.all`. */
  readonly #joined = new Set<string>();

  /** Each function further out awaits the next one in: its stack is the rest of this one. */
  expect(frames: readonly CallSite[]): void {
    for (let i = 1; i < frames.length; i++) {
      const end = this.#key(frames.slice(i));
      if (frames[i - 1]?.promiseIndex !== undefined) {
        // All elements of a `Promise.all` lead to the one function that awaits it.
        if (this.#joined.has(end)) return;
        this.#joined.add(end);
      }
      this.#expected.set(end, (this.#expected.get(end) ?? 0) + 1);
    }
  }

  take(frames: readonly CallSite[]): boolean {
    const end = this.#key(frames);
    const left = this.#expected.get(end) ?? 0;
    if (left === 0) return false;
    if (left === 1) this.#expected.delete(end);
    else this.#expected.set(end, left - 1);
    return true;
  }

  get allTaken(): boolean {
    return this.#expected.size === 0;
  }

  #key(frames: readonly CallSite[]): string {
    return frames.map((frame) => this.#idOf(frame)).join();
  }

  #idOf(frame: CallSite): number {
    let id = this.#ids.get(frame);
    if (id === undefined) {
      id = this.#ids.size;
      this.#ids.set(frame, id);
    }
    return id;
  }
}

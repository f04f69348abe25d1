import type { AwaitContext } from './await-context.ts';
import type { AwaitNode } from './await-node.ts';
import type { CallSite, CallSites } from './call-site.ts';
import { clockNow } from './clock.ts';
import type { AwaitStack } from './collect-await-stacks.ts';
import { type Fragment, laterOf, merged } from './fragment.ts';
import { DEFAULT_FRAME_LIMIT, type FrameWalker } from './frame-walker.ts';
import { FragmentJoiner } from './join-captured.ts';
import { firstWaiterOf } from './promise-stamp.ts';
import { StackTree } from './stack-tree.ts';

/** Promises in one probe. More cost less each and make a longer slice. */
const BATCH = 4;
/** Above this many frames a promise is a slice of its own. */
const DEEP = 32;
/** Frames handled in one slice where nothing is probed. */
const FRAMES_A_SLICE = 64;

type Slices<T> = Generator<undefined, T, void>;

/** The stacks of one context, in slices. Used once. */
export class ContextCollection {
  readonly #walker: FrameWalker;
  readonly #callSites: CallSites;
  readonly #othersAt: (promise: object) => readonly AwaitContext[];
  readonly #joiner: FragmentJoiner;
  /** What V8 could walk, in the order of the list. */
  readonly #walked: Fragment[] = [];
  /** What it could not, because the promise has several waiters, with what was kept of them. */
  readonly #kept: Fragment[] = [];
  readonly #unknown: Fragment[] = [];
  readonly #seen = new Set<object>();

  constructor(walker: FrameWalker, callSites: CallSites, othersAt: (promise: object) => readonly AwaitContext[]) {
    this.#walker = walker;
    this.#callSites = callSites;
    this.#othersAt = othersAt;
    this.#joiner = new FragmentJoiner((site) => walker.own.has(site));
  }

  *stacks(context: AwaitContext, nodes: readonly AwaitNode[]): Slices<AwaitStack[]> {
    yield* this.#probe(context, nodes);
    const top = yield* this.#longest();
    const stacks: { own: Fragment[]; other: Fragment[] } = { own: [], other: [] };
    let frames = 0;
    for (const list of [this.#walked, this.#kept]) {
      for (const fragment of list) {
        if (!top.has(fragment)) continue;
        stacks[this.#isOwn(fragment) ? 'own' : 'other'].push(fragment);
        if (++frames % FRAMES_A_SLICE === 0) yield;
      }
    }
    for (const fragment of this.#unknown)
      this.#tellWhoElseWaits(fragment, stacks.own.length > 0 ? stacks.own : stacks.other);
    yield;
    // Two sorted runs each, but for equal ages: near to linear.
    stacks.own.sort(byAgeThenDepth);
    yield;
    stacks.other.sort(byAgeThenDepth);
    yield;
    const now = clockNow();
    const result: AwaitStack[] = [];
    const created = this.#unknown.filter((fragment) => fragment.created !== undefined);
    for (const fragment of [...stacks.own, ...stacks.other, ...created]) {
      result.push(this.#stackOf(fragment, now));
      if (result.length % FRAMES_A_SLICE === 0) yield;
    }
    return result;
  }

  *#probe(context: AwaitContext, nodes: readonly AwaitNode[]): Slices<void> {
    let size = BATCH;
    for (let at = 0; at < nodes.length; ) {
      const batch: { node: AwaitNode; promise: object; index: number }[] = [];
      for (let looked = 0; at < nodes.length && batch.length < size && looked < FRAMES_A_SLICE; at++, looked++) {
        const node = nodes[at] as AwaitNode;
        // Resumed since the list was taken: no longer outstanding.
        if (node.promise !== null && node.context === context) batch.push({ node, promise: node.promise, index: at });
      }
      const stacks = this.#walker.walkAll(
        batch.map((x) => x.promise),
        DEFAULT_FRAME_LIMIT,
        this.#callSites,
      );
      batch.forEach(({ node, promise, index }, i) => {
        this.#add(context, node, promise, index, stacks[i] ?? []);
      });
      size = stacks.some((frames) => frames.length > DEEP) ? 1 : BATCH;
      yield;
    }
    for (const fragment of this.#kept) {
      fragment.frames = this.#joiner.join(fragment.frames, fragment.index);
      yield;
    }
  }

  #add(context: AwaitContext, node: AwaitNode, promise: object, index: number, walked: readonly CallSite[]): void {
    const isKept = walked.length === 0;
    const made = context.creations?.of(promise);
    const fragment: Fragment = {
      promise,
      frames: isKept ? this.#keptFrames(node, promise) : walked,
      since: node.since,
      latest: node.since,
      index,
      count: 1,
      captured: isKept,
      created: made === undefined ? undefined : this.#walker.framesOf(made, this.#callSites),
      alsoAwaitedBy: this.#othersAt(promise),
    };
    if (isKept) (fragment.frames.length > 0 ? this.#kept : this.#unknown).push(fragment);
    else if (!this.#seen.has(promise)) {
      this.#seen.add(promise);
      this.#walked.push(fragment);
      this.#joiner.add(fragment);
    }
  }

  #keptFrames(node: AwaitNode, promise: object): readonly CallSite[] {
    const { shared } = node;
    if (shared === null) return [];
    if (shared.captured !== undefined) return this.#walker.framesOf(shared.captured, this.#callSites);
    const isFirst = firstWaiterOf(promise) === node;
    return isFirst ? (shared.early ?? []).map((site) => this.#callSites.same(site)) : [];
  }

  /** The stacks that no longer one ends in. */
  *#longest(): Slices<Set<Fragment>> {
    const tree = new StackTree<Fragment>();
    let frames = 0;
    for (const list of [this.#walked, this.#kept]) {
      for (const fragment of list) {
        tree.add(fragment, merged);
        frames += fragment.frames.length;
        if (frames >= FRAMES_A_SLICE) {
          frames = 0;
          yield;
        }
      }
    }
    const top = new Set<Fragment>();
    for (const found of tree.longest()) {
      if (found === undefined) yield;
      else {
        for (const suffix of found.suffixes) found.entry.latest = laterOf(found.entry.latest, suffix.latest);
        top.add(found.entry);
      }
    }
    return top;
  }

  #isOwn(fragment: Fragment): boolean {
    return this.#walker.own.has(fragment.frames.at(-1));
  }

  /** An await of which nothing is known but the promise: who else waits for it is told with the stack that it most likely belongs to. */
  #tellWhoElseWaits(fragment: Fragment, stacks: readonly Fragment[]): void {
    if (fragment.alsoAwaitedBy.length === 0) return;
    let closest: Fragment | undefined;
    for (const stack of stacks) {
      if (closest === undefined || Math.abs(stack.index - fragment.index) < Math.abs(closest.index - fragment.index))
        closest = stack;
    }
    if (closest !== undefined)
      closest.alsoAwaitedBy = [...new Set([...closest.alsoAwaitedBy, ...fragment.alsoAwaitedBy])];
  }

  #stackOf(fragment: Fragment, now: number): AwaitStack {
    const own = this.#isOwn(fragment);
    return {
      frames: own ? fragment.frames.slice(0, -1) : fragment.frames,
      sinceClock: fragment.since >>> 0,
      ageMs: age(now, fragment.since),
      latestAgeMs: age(now, fragment.latest),
      own,
      count: fragment.count,
      alsoAwaitedBy: fragment.alsoAwaitedBy,
      captured: fragment.captured,
      created: fragment.created,
      promise: fragment.promise as Promise<unknown>,
    };
  }
}

function age(now: number, since: number): number {
  return (now - since) >>> 0;
}

function byAgeThenDepth(a: Fragment, b: Fragment): number {
  return (a.since - b.since) | 0 || b.frames.length - a.frames.length;
}

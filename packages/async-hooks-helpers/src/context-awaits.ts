import type { AwaitContext } from './await-context.ts';
import type { AwaitNode } from './await-node.ts';
import { type CallSite, type CallSites, TOP_LEVEL } from './call-site.ts';
import { DEFAULT_FRAME_LIMIT, type FrameWalker, frameWalker } from './frame-walker.ts';
import { type ImportPattern, importPattern, positionOf } from './import-pattern.ts';
import { StackEnds } from './stack-ends.ts';

/** Awaits of one context that are looked at: with more, nothing is said. */
const MAX_AWAITS = 512;
/** Promises in one probe. */
const BATCH = 4;

/** Which promises a caller of {@link ContextAwaits.only} knows. */
export interface KnownPromises {
  /** Whether it is known who settles this promise. */
  has(promise: object): boolean;
}

interface LookedAt {
  readonly node: AwaitNode;
  readonly promise: object;
  readonly frames: readonly CallSite[];
}

/** All that a context awaited at one moment, with the stacks. See {@link lookAtAwaits}. */
export class ContextAwaits {
  readonly #all: readonly LookedAt[];
  readonly #pattern: ImportPattern | undefined;

  constructor(all: readonly LookedAt[], pattern: ImportPattern | undefined) {
    this.#all = all;
    this.#pattern = pattern;
  }

  /** Who waits in an `import()` of a module that is being evaluated: a stack for each, from the importer outwards. */
  get imports(): readonly (readonly CallSite[])[] {
    const { waiting } = this.#pattern ?? { waiting: [] };
    return this.#all
      .filter(({ frames }) => this.#isImport(frames))
      .map(({ frames }) => frames.slice(waiting.length - 1));
  }

  /** The modules that are being evaluated in this context, as the places of their own code that they are suspended in. */
  get modules(): readonly CallSite[] {
    return [...new Set(this.#all.flatMap(({ frames }) => topLevelOf(frames)))];
  }

  /** Promises behind which nothing is seen, with the clock when their await began: with several waiters, or with none that is suspended. */
  get unseen(): ReadonlyMap<object, number> {
    return new Map(
      this.#all.filter(({ frames }) => frames.length === 0).map(({ promise, node }) => [promise, node.since] as const),
    );
  }

  /**
   * Whether everything that was awaited leads to promises that are known: each outstanding await is one of a known promise, or a caller further out of a
   * function that is suspended in one.
   *
   * V8 gives frames and not which of several runs of a function they belong to. So they are counted: a stack of five frames is five outstanding
   * awaits of this context, whose own stacks are the five ends of it, and whatever is left over on either side is not explained. `false`
   * therefore also says that it cannot be told: for promises with several waiters, in code compiled to generators, above a bound.
   *
   * An `import()` of a module that is being evaluated waits for that alone, as far as this is concerned: what is awaited in the module's own code has to be
   * known in its turn, where that runs in this context, or else be given as an evaluation.
   *
   * @param known promises that only somebody who is known settles
   * @param own what the context's own chain (`ownAwait`) has returned: whoever waits for that waits for what it waits for
   * @param evaluations of modules that several import: promises of the loader's, known as well
   */
  only(known: KnownPromises, own: object | undefined, evaluations: KnownPromises = NONE): boolean {
    const ends = new StackEnds();
    const others: LookedAt[] = [];
    const topLevels = new Set<CallSite>();
    const imports = new StackEnds();
    let [roots, shared, pending] = [0, 0, 0];
    for (const each of this.#all) {
      const { promise, frames } = each;
      const isEvaluation = evaluations.has(promise);
      if (isEvaluation || known.has(promise)) {
        roots += 1;
        if (isEvaluation) shared += 1;
        ends.expect(frames);
      } else if (this.#isImport(frames)) {
        pending += 1;
        this.#expectImport(frames, ends);
        imports.expectEnd(frames);
      } else {
        others.push(each);
        continue;
      }
      for (const one of topLevelOf(frames)) topLevels.add(one);
    }
    if (roots === 0 || (pending > 0 && this.#pattern === undefined)) return false;
    // V8 itself waits for the promise of a module's own code, which nobody is suspended in.
    for (const _ of topLevels) ends.expectEnd([]);
    for (const { node, promise, frames } of others) {
      if (promise === own && own !== undefined) continue;
      // `then` on something known: whoever waits for what that returns.
      if (isChained(node, known)) continue;
      if (this.#isEvaluation(frames)) {
        if (!imports.take(frames.slice(1))) return false;
        pending -= 1;
      } else if (!ends.take(frames)) return false;
    }
    return ends.allTaken && pending === shared;
  }

  #expectImport(frames: readonly CallSite[], ends: StackEnds): void {
    const { waiting, extras } = this.#pattern as ImportPattern;
    ends.expect(frames);
    const importer = frames.slice(waiting.length - 1);
    for (let i = 0; i < extras; i++) ends.expectEnd(importer);
  }

  /** The loader's await of what awaits the evaluation. */
  #isImport(frames: readonly CallSite[]): boolean {
    return this.#begins(frames, this.#pattern?.waiting.slice(1));
  }

  /** The loader's await of the evaluation itself: seen only while nobody else imports the module. */
  #isEvaluation(frames: readonly CallSite[]): boolean {
    return this.#begins(frames, this.#pattern?.waiting);
  }

  #begins(frames: readonly CallSite[], positions: readonly string[] | undefined): boolean {
    return (
      positions !== undefined &&
      frames.length >= positions.length &&
      positions.every((position, i) => positionOf(frames[i] as CallSite) === position)
    );
  }
}

const NONE: KnownPromises = new Set<object>();

/**
 * Looks at everything that a context awaits. A generator, as `collectAwaitStacks` is; to be run from macrotasks only.
 *
 * @returns `undefined` where it cannot be told: too much is awaited, or no stacks can be had
 */
export function* lookAtAwaits(context: AwaitContext): Generator<undefined, ContextAwaits | undefined, void> {
  const walker = frameWalker();
  if (walker === undefined || context.released || context.hasEvicted || context.count > MAX_AWAITS) return undefined;
  const nodes: AwaitNode[] = [];
  for (let node = context.oldest; node !== null; node = node.newer) nodes.push(node);
  const callSites = walker.callSites();
  const all: LookedAt[] = [];
  for (let at = 0; at < nodes.length; at += BATCH) {
    const batch = walkAll(walker, nodes.slice(at, at + BATCH), callSites);
    if (batch === undefined) return undefined;
    all.push(...batch);
    yield;
  }
  return new ContextAwaits(all, importPattern());
}

function walkAll(walker: FrameWalker, nodes: readonly AwaitNode[], callSites: CallSites): LookedAt[] | undefined {
  const promises: object[] = [];
  for (const { promise } of nodes) {
    // Resumed meanwhile: the list is no longer what it was.
    if (promise === null) return undefined;
    promises.push(promise);
  }
  const stacks = walker.walkAll(promises, DEFAULT_FRAME_LIMIT, callSites);
  if (stacks.some(({ length }) => length >= DEFAULT_FRAME_LIMIT)) return undefined;
  return nodes.map((node, i) => ({
    node,
    promise: promises[i] as object,
    frames: ownPart(stacks[i] ?? [], walker),
  }));
}

/** Up to the frame in which the context's own chain ends: what is further out is not of this context. */
function ownPart(frames: readonly CallSite[], walker: FrameWalker): readonly CallSite[] {
  const end = frames.findLastIndex((frame) => walker.own.has(frame));
  return end === -1 ? frames : frames.slice(0, end + 1);
}

/** Nobody is suspended in a module's own code: it ends the stack. */
function topLevelOf(frames: readonly CallSite[]): readonly CallSite[] {
  const last = frames.at(-1);
  return last?.function === TOP_LEVEL ? [last] : [];
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

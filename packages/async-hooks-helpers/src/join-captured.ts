import { type CallSite, functionKey } from './call-site.ts';
import type { Fragment } from './fragment.ts';

/**
 * Finds, for a stack captured when its await began, the walked stack that it goes on in. A captured stack has the callers as they were at
 * that moment; a walked one is where they are suspended now. The join is where a captured frame's function is the first of a walked stack.
 */
export class FragmentJoiner {
  readonly #byFrame = new Map<CallSite, Fragment[]>();
  readonly #byFunction = new Map<string, Fragment[]>();
  readonly #byCaller = new Map<CallSite, Fragment[]>();
  readonly #isOwn: (site: CallSite | undefined) => boolean;
  readonly #ownRoots: Fragment[] = [];

  constructor(isOwn: (site: CallSite | undefined) => boolean) {
    this.#isOwn = isOwn;
  }

  /** Walked fragments, in the order of the list. */
  add(fragment: Fragment): void {
    // `Promise.all` and the like are called by the function that awaits them, and are in no captured stack.
    const first = fragment.frames.find((site) => site.promiseIndex === undefined);
    if (first === undefined) return;
    push(this.#byFrame, first, fragment);
    push(this.#byFunction, functionKey(first), fragment);
    const [, caller] = fragment.frames;
    if (caller !== undefined) push(this.#byCaller, caller, fragment);
    if (fragment.frames.length === 1 && this.#isOwn(first)) this.#ownRoots.push(fragment);
  }

  /** The captured (or early) frames with the walked rest. */
  join(frames: readonly CallSite[], index: number): readonly CallSite[] {
    return this.#atItsAwait(this.#joined(frames, index));
  }

  #joined(frames: readonly CallSite[], index: number): readonly CallSite[] {
    for (let i = 1; i < frames.length; i++) {
      const site = frames[i] as CallSite;
      // Suspended at that very position then and now: the same activation, or one that can't be told from it.
      const same = site.async ? this.#byFrame.get(site) : undefined;
      const next = nearest(same ?? this.#byFunction.get(functionKey(site)) ?? [], index);
      if (next !== undefined) return [...frames.slice(0, i), ...next.frames];
    }
    return this.#joinToOwnRoot(frames, index);
  }

  /**
   * A handler that has never been resumed has its adapter below it on the stack, not the frame that awaits it: that one begins to wait
   * just after, so its await is the next newer. What lies between has returned by then.
   */
  #joinToOwnRoot(frames: readonly CallSite[], index: number): readonly CallSite[] {
    if (frames.some((site, i) => i > 0 && site.async)) return frames;
    const root = this.#ownRoots.find((fragment) => fragment.index > index);
    return root === undefined ? frames : [...frames.slice(0, 1), ...root.frames];
  }

  /**
   * A captured stack has its innermost function where it called what it then awaited. If a walked stack has the same function with the
   * same callers (the other promises of a race), it is the same activation, and the walked position is the `await` itself.
   */
  #atItsAwait(frames: readonly CallSite[]): readonly CallSite[] {
    const [first, next] = frames;
    if (first === undefined || next === undefined) return frames;
    const key = functionKey(first);
    const same = this.#byCaller
      .get(next)
      ?.find((x) => functionKey(x.frames[0] as CallSite) === key && isSame(x.frames, frames, 1));
    return same === undefined ? frames : same.frames;
  }
}

function isSame(a: readonly CallSite[], b: readonly CallSite[], from: number): boolean {
  return a.length === b.length && a.every((site, i) => i < from || site === b[i]);
}

function push<K>(map: Map<K, Fragment[]>, key: K, fragment: Fragment): void {
  const list = map.get(key);
  if (list === undefined) map.set(key, [fragment]);
  else list.push(fragment);
}

/** In a chain that ran synchronously the outer await is the next newer one; otherwise the next older. Sorted by index. */
function nearest(sorted: readonly Fragment[], index: number): Fragment | undefined {
  let low = 0;
  let high = sorted.length;
  while (low < high) {
    const middle = (low + high) >>> 1;
    if ((sorted[middle] as Fragment).index > index) high = middle;
    else low = middle + 1;
  }
  return sorted[low] ?? sorted[low - 1];
}

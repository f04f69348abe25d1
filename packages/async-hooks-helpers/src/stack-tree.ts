import type { CallSite } from './call-site.ts';

interface Branch<T> {
  readonly children: Map<CallSite, Branch<T>>;
  entry: T | undefined;
}

/** A stack and what is known with it. */
export interface StackEntry {
  /** Innermost first. Equal frames must be the same object. */
  readonly frames: readonly CallSite[];
}

/**
 * Stacks by their frames, outermost first: equal ones meet at one branch, and a stack that others end in is a branch with children. So
 * ten thousand of them cost their frames, not their pairs.
 */
export class StackTree<T extends StackEntry> {
  readonly #root: Branch<T> = { children: new Map(), entry: undefined };

  /** Adds an entry; where an equal stack is there, `merge` says what becomes of the two. */
  add(entry: T, merge: (present: T, added: T) => T): void {
    let branch = this.#root;
    for (let i = entry.frames.length - 1; i >= 0; i--) {
      const site = entry.frames[i] as CallSite;
      let child = branch.children.get(site);
      if (child === undefined) {
        child = { children: new Map(), entry: undefined };
        branch.children.set(site, child);
      }
      branch = child;
    }
    branch.entry = branch.entry === undefined ? entry : merge(branch.entry, entry);
  }

  /** The stacks that no longer one ends in, each with the suffixes of it that were added, longest last. One `undefined` in between now and then. */
  *longest(): Generator<{ entry: T; suffixes: readonly T[] } | undefined, void, void> {
    const pending: { branch: Branch<T>; suffixes: readonly T[] }[] = [{ branch: this.#root, suffixes: [] }];
    for (let steps = 1; ; steps++) {
      const next = pending.pop();
      if (next === undefined) return;
      const { branch, suffixes } = next;
      if (branch.children.size === 0) {
        if (branch.entry !== undefined) yield { entry: branch.entry, suffixes };
      } else {
        const inner = branch.entry === undefined ? suffixes : [...suffixes, branch.entry];
        for (const child of branch.children.values()) pending.push({ branch: child, suffixes: inner });
      }
      if (steps % 64 === 0) yield undefined;
    }
  }
}

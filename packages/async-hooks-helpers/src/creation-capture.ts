import type { CapturedStack } from './probe-realm.ts';

/** Stacks of creations a context: a request that makes more promises has shown enough. */
const MAX_CREATIONS = 512;

/** How many live contexts note where their promises are made: while it is 0, the making of a promise costs one comparison. */
export const creationCapture: { contexts: number } = { contexts: 0 };

/** Where a context's promises were made. Held by the context alone, so that a promise that outlives it keeps no stack. */
export class Creations {
  readonly #stacks = new WeakMap<object, CapturedStack>();
  #left = MAX_CREATIONS;

  get full(): boolean {
    return this.#left === 0;
  }

  note(promise: object, stack: CapturedStack): void {
    this.#left -= 1;
    this.#stacks.set(promise, stack);
  }

  of(promise: object): CapturedStack | undefined {
    return this.#stacks.get(promise);
  }
}

import type { AwaitNode } from './await-node.ts';

// A class whose base constructor returns its argument puts its private fields on that object. A private field on a foreign promise is
// invisible to inspection and deep equality, and works on frozen ones, where a symbol property throws.
// https://tc39.es/ecma262/#sec-privatefieldadd
// A derived class, since a function would have a `this` made for it at each call, which nobody sees and the garbage collector takes.
class Itself extends null {
  constructor(object: object) {
    return object;
  }
}

/**
 * One field for both things a promise may be, because each further field gives promises further shapes, and the hooks' property accesses
 * are only fast while there are few:
 * - the derived promise of an await: its node (`node.promise` is then another promise), with the first await of it in `node.waiter`;
 * - else the node of the first await of it (`node.promise` is then this very promise).
 * A cleared node in the field is neither.
 */
class Stamp extends Itself {
  #node: AwaitNode;
  constructor(promise: object, node: AwaitNode) {
    super(promise);
    this.#node = node;
  }
  static of(promise: object): AwaitNode | undefined {
    return #node in promise ? promise.#node : undefined;
  }
  static move(promise: object, node: AwaitNode): void {
    if (#node in promise) promise.#node = node;
  }
}

/** Stamps a promise that has no stamp. */
export function stamp(promise: object, node: AwaitNode): void {
  new Stamp(promise, node);
}

/** What a promise is stamped with. */
export const stampOf: (promise: object) => AwaitNode | undefined = Stamp.of;

/** The await that a derived promise belongs to, while that is outstanding. */
export function awaitOfDerived(promise: object): AwaitNode | undefined {
  const node = Stamp.of(promise);
  return node === undefined || node.context === null || node.promise === promise ? undefined : node;
}

/** The first await of a promise, which may have resumed since. */
export function firstWaiterOf(promise: object): AwaitNode | undefined {
  const node = Stamp.of(promise);
  if (node === undefined || node.promise === promise) return node;
  return node.waiter ?? undefined;
}

/** Makes `waiter` the first await of a promise that is stamped with `present`. */
export function setFirstWaiter(promise: object, present: AwaitNode, waiter: AwaitNode): void {
  // The stamp of an outstanding derived promise must stay: it is how its await is found when it resumes.
  if (present.context !== null && present.promise !== promise) present.waiter = waiter;
  else {
    waiter.others = present.others;
    Stamp.move(promise, waiter);
  }
}

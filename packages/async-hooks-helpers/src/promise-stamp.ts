import type { AwaitNode } from './await-node.ts';

// A class whose base constructor returns its argument puts its private fields on that object. A private field on a foreign promise is
// invisible to inspection and deep equality, and works on frozen ones, where a symbol property throws.
// https://tc39.es/ecma262/#sec-privatefieldadd
function itself(object: object): object {
  return object;
}
const Itself = itself as unknown as new (object: object) => object;

class DerivedStamp extends Itself {
  #node: AwaitNode;
  constructor(promise: object, node: AwaitNode) {
    super(promise);
    this.#node = node;
  }
  static of(promise: object): AwaitNode | undefined {
    return #node in promise ? promise.#node : undefined;
  }
}

class WaiterStamp extends Itself {
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

/** Notes which await a derived promise (an await's throwaway, a `then`'s result) belongs to. */
export function stampDerived(promise: object, node: AwaitNode): void {
  new DerivedStamp(promise, node);
}

/** The await that a derived promise belongs to. */
export const nodeOfDerived: (promise: object) => AwaitNode | undefined = DerivedStamp.of;

/** Notes the first await of a promise. */
export function stampFirstWaiter(promise: object, node: AwaitNode): void {
  new WaiterStamp(promise, node);
}

/** Replaces the first await of a promise that has one noted. */
export const moveFirstWaiter: (promise: object, node: AwaitNode) => void = WaiterStamp.move;

/** The await that was noted as a promise's first, which may have resumed since. */
export const firstWaiterOf: (promise: object) => AwaitNode | undefined = WaiterStamp.of;

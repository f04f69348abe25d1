/**
 * One implementation for the whole thread, however many copies of this package are loaded (ESM beside CJS, two installed versions):
 * hooks, contexts and the functions whose frames mark an own stack must be the same objects for all of them. The number is that of the
 * shapes below it: raise it when a copy of an older release could not work with them.
 */
const implementationKey = Symbol.for('hangwatch.async-hooks-helpers/1');

/** Without a number: a copy of any release must ignore the promises that a probe of any other release makes. */
const probingKey = Symbol.for('hangwatch.probing');

/** How many probes are running now; hooks look away while it isn't 0. */
export interface Probing {
  depth: number;
}

/** Returns what the first copy put under `key`, or puts `create()` there. */
function sharedUnder<T extends object>(key: symbol, create: () => T): T {
  const registry = globalThis as unknown as Record<symbol, T | undefined>;
  const known = registry[key];
  if (known !== undefined) return known;
  const made = create();
  // A hardened global object refuses the property; this copy then works alone.
  Reflect.defineProperty(globalThis, key, { value: made, configurable: false, enumerable: false, writable: false });
  return made;
}

/** The implementation that every copy in this thread shares. */
export function sharedImplementation<T extends object>(create: () => T): T {
  return sharedUnder(implementationKey, create);
}

/** The flag that every copy of every release in this thread shares. */
export const probing: Probing = sharedUnder(probingKey, () => ({ depth: 0 }));

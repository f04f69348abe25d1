import type { AnyFunction } from './places/site.ts';
import { existingTracker } from './process/process-tracker.ts';

/**
 * The function, to be called later in the current request's context, whoever calls it. For callbacks that are handed to something which
 * other requests share and which loses `AsyncLocalStorage`: a pool, an event emitter, a queue of your own. What the callback awaits then
 * shows up with this request. `this`, arguments, result and errors pass through; once the request is over, or outside any, it is the
 * function as it was.
 *
 * @example
 * emitter.once('drained', bind(() => flush(response)));
 */
export function bind<F extends AnyFunction>(fn: F): F {
  const record = existingTracker()?.current();
  if (record === undefined || typeof fn !== 'function') return fn;
  const bound = function (this: unknown, ...args: never[]): unknown {
    const { slot, owner } = record;
    if (slot === undefined || owner.current() === record) return Reflect.apply(fn, this, args);
    return owner.run(record, () => Reflect.apply(fn, this, args));
  };
  Object.defineProperties(bound, { name: { value: fn.name }, length: { value: fn.length } });
  return bound as unknown as F;
}

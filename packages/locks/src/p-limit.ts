import { type Claim, resource, withoutRequest } from '@hangwatch/core';
import { countOf, type Instrumentation, type Said } from './instrumentation.ts';

type Job = (...args: never[]) => unknown;

/** https://github.com/sindresorhus/p-limit */
interface Limit {
  (fn: Job, ...args: unknown[]): Promise<unknown>;
  clearQueue(): void;
  /** Since p-limit 6. */
  concurrency?: number;
}

/** p-limit. What stands in its place has the same properties. */
export const pLimit: Instrumentation = {
  library: 'p-limit',
  recognises: (thing) =>
    typeof thing === 'function' && 'activeCount' in thing && 'pendingCount' in thing && 'clearQueue' in thing,
  refuses(thing) {
    if (typeof Reflect.get(thing, 'concurrency') !== 'number')
      return 'its concurrency cannot be read: p-limit 6 or later is needed';
    return countOf(thing, 'activeCount') > 0 ? 'it is running jobs already: instrument it where it is made' : undefined;
  },
  instrument: (thing, name, said) => limited(thing as Limit, name, said),
};

function limited(limit: Limit, name: string, said: Said): Limit {
  const slots = resource(name, {
    ...said,
    type: 'limit',
    // What `clearQueue` drops is never settled.
    cancellable: false,
    capacity: limit.concurrency ?? 1,
    inUse: () => countOf(limit, 'activeCount'),
  });
  const waiting = new Set<Claim>();
  const inPlace: Limit = Object.assign(
    (fn: Job, ...args: unknown[]): Promise<unknown> => {
      const claim = slots.claim();
      waiting.add(claim);
      const begin = () => {
        waiting.delete(claim);
        return claim.run(runJob, claim, fn, args);
      };
      return claim.waitsFor(withoutRequest(() => limit(begin)));
    },
    {
      clearQueue() {
        limit.clearQueue();
        for (const claim of waiting) claim.end();
        waiting.clear();
      },
    },
  );
  const { clearQueue, map, concurrency, length, name: label, ...rest } = Object.getOwnPropertyDescriptors(limit);
  Object.defineProperties(inPlace, rest);
  Object.defineProperty(inPlace, 'clearQueue', {
    enumerable: clearQueue?.enumerable ?? false,
    writable: false,
    configurable: false,
  });
  Object.defineProperties(inPlace, {
    name: label ?? {},
    length: length ?? {},
    concurrency: {
      enumerable: concurrency?.enumerable ?? false,
      get: () => limit.concurrency,
      set(value: number) {
        limit.concurrency = value;
        slots.capacity = value;
      },
    },
  });
  if (map !== undefined) Object.defineProperty(inPlace, 'map', { value: mapWith(inPlace) });
  return inPlace;
}

/** Runs in the context of whoever has queued it, and awaits the job there, so that it can be seen that the job waits. */
async function runJob(claim: Claim, fn: Job, args: readonly unknown[]): Promise<unknown> {
  try {
    return await Reflect.apply(fn, undefined, args);
  } finally {
    claim.end();
  }
}

/** As the library's own, with what stands in its place. */
function mapWith(limit: Limit) {
  return async (iterable: Iterable<unknown>, fn: Job): Promise<unknown[]> => {
    const promises: Promise<unknown>[] = [];
    try {
      for (const [index, value] of Array.from(iterable).entries()) promises.push(limit(fn, value, index));
    } catch (error) {
      for (const promise of promises) promise.catch(() => undefined);
      throw error;
    }
    return Promise.all(promises);
  };
}

import { type Claim, resource, withoutRequest } from '@hangwatch/core';
import { hasMethods, type Instrumentation, replaceMethods, type Said } from './instrumentation.ts';

type Release = () => void;

/** What a mutex and a semaphore have in common. https://github.com/DirtyHairy/async-mutex */
interface Lock<Ticket> {
  acquire(...args: number[]): Promise<Ticket>;
  release(weight?: number): void;
  isLocked(): boolean;
}
type Mutex = Lock<Release>;
interface Semaphore extends Lock<[number, Release]> {
  getValue(): number;
  setValue(value: number): void;
}

/** `Mutex` and `Semaphore` of async-mutex. What `withTimeout` makes of them is the library's: the lock below it is made known. */
export const asyncMutex: Instrumentation = {
  library: 'async-mutex',
  recognises: (thing) =>
    hasMethods(thing, ['acquire', 'release', 'runExclusive', 'waitForUnlock', 'isLocked', 'cancel']),
  refuses(thing) {
    if (Object.getPrototypeOf(thing) === Object.prototype)
      return 'what withTimeout or tryAcquire has made cannot be: give the Mutex or Semaphore itself, before it is handed to them';
    return (thing as Mutex).isLocked() ? 'it is locked already: instrument it where it is made' : undefined;
  },
  instrument(thing, name, said) {
    if (hasMethods(thing, ['getValue', 'setValue'])) instrumentSemaphore(thing as Semaphore, name, said);
    else instrumentMutex(thing as Mutex, name, said);
    return thing;
  },
};

function instrumentMutex(mutex: Mutex, name: string, said: Said): void {
  const lock = resource(name, { ...said, type: 'lock', inUse: () => (mutex.isLocked() ? 1 : 0) });
  const acquire = mutex.acquire.bind(mutex);
  const release = mutex.release.bind(mutex);
  let holder: Claim | undefined;
  function claimed(scoped: boolean, args: number[]): Promise<Release> {
    const claim = lock.claim({ scoped });
    return whenGranted(
      claim,
      () => acquire(...args),
      (unlock) => {
        holder = claim;
        return releaseOf(claim, unlock);
      },
    );
  }
  replaceMethods(mutex, {
    acquire: (...args: number[]) => claimed(false, args),
    release() {
      if (mutex.isLocked()) holder?.end();
      release();
    },
    async runExclusive<T>(callback: () => Promise<T> | T, priority = 0): Promise<T> {
      const unlock = await claimed(true, [priority]);
      try {
        return await callback();
      } finally {
        unlock();
      }
    },
  });
}

function instrumentSemaphore(semaphore: Semaphore, name: string, said: Said): void {
  const seats = resource(name, {
    ...said,
    type: 'semaphore',
    capacity: Math.max(1, semaphore.getValue()),
    inUse: () => seats.capacity - semaphore.getValue(),
  });
  const acquire = semaphore.acquire.bind(semaphore);
  const release = semaphore.release.bind(semaphore);
  const setValue = semaphore.setValue.bind(semaphore);
  const held: Claim[] = [];
  let inReleaser = false;
  const forget = (claim: Claim) => {
    const at = held.indexOf(claim);
    if (at >= 0) held.splice(at, 1);
    claim.end();
  };
  function claimed(scoped: boolean, args: number[]): Promise<[number, Release]> {
    const claim = seats.claim({ amount: args[0] ?? 1, scoped });
    return whenGranted(
      claim,
      () => acquire(...args),
      ([value, unlock]) => {
        held.push(claim);
        const releaseOnce = () => {
          forget(claim);
          inReleaser = true;
          try {
            unlock();
          } finally {
            inReleaser = false;
          }
        };
        return [value, releaseOnce] satisfies [number, Release];
      },
    );
  }
  replaceMethods(semaphore, {
    acquire: (...args: number[]) => claimed(false, args),
    /** Called by the library's own releaser as well. Called by hand it says not whose: most likely the one that has held for longest. */
    release(weight?: number) {
      const [oldest] = held;
      if (!inReleaser && oldest !== undefined) forget(oldest);
      release(weight);
    },
    setValue(value: number) {
      seats.capacity += value - semaphore.getValue();
      setValue(value);
    },
    async runExclusive<T>(callback: (value: number) => Promise<T> | T, weight = 1, priority = 0): Promise<T> {
      const [value, unlock] = await claimed(true, [weight, priority]);
      try {
        return await callback(value);
      } finally {
        unlock();
      }
    },
  });
}

/** Calls the library outside the request: what it awaits for its own is not what the request awaits. */
function whenGranted<Ticket, Result>(
  claim: Claim,
  acquire: () => Promise<Ticket>,
  granted: (ticket: Ticket) => Result,
): Promise<Result> {
  try {
    return claim.waitsFor(
      withoutRequest(() =>
        acquire().then(
          (ticket) => {
            claim.acquired();
            return granted(ticket);
          },
          (error: unknown) => {
            claim.end();
            throw error;
          },
        ),
      ),
    );
  } catch (error) {
    // A weight that is none.
    claim.end();
    throw error;
  }
}

const releaseOf =
  (claim: Claim, unlock: Release): Release =>
  () => {
    claim.end();
    unlock();
  };

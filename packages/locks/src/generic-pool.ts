import { type Claim, resource, withoutRequest } from '@hangwatch/core';
import { countOf, hasMethods, type Instrumentation, replaceMethods, type Said } from './instrumentation.ts';

/** https://github.com/coopernurse/node-pool */
interface Pool {
  readonly max: number;
  readonly borrowed: number;
  acquire(priority?: number): Promise<unknown>;
  release(loan: unknown): Promise<void>;
  destroy(loan: unknown): Promise<void>;
}

/** generic-pool. */
export const genericPool: Instrumentation = {
  library: 'generic-pool',
  recognises: (thing) =>
    hasMethods(thing, ['acquire', 'use', 'release', 'destroy', 'isBorrowedResource', 'drain', 'clear']),
  refuses: (thing) =>
    countOf(thing, 'borrowed') > 0 ? 'some of it is borrowed already: instrument it where it is made' : undefined,
  instrument(thing, name, said) {
    instrumentPool(thing as Pool, name, said);
    return thing;
  },
};

function instrumentPool(pool: Pool, name: string, said: Said): void {
  const connections = resource(name, {
    ...said,
    type: 'pool',
    cancellable: false,
    capacity: Math.max(1, pool.max),
    inUse: () => countOf(pool, 'borrowed'),
  });
  const [acquire, release, destroy] = [pool.acquire.bind(pool), pool.release.bind(pool), pool.destroy.bind(pool)];
  const timeoutMs = acquireTimeoutOf(pool);
  const loans = new Map<unknown, Claim>();
  const giveBack = (loan: unknown) => {
    loans.get(loan)?.end();
    loans.delete(loan);
  };
  function claimed(scoped: boolean, priority: number | undefined): Promise<unknown> {
    const claim = connections.claim({ timeoutMs, scoped });
    // In the request's context: what it takes to make a connection is the request's to wait for.
    const loan = claim.waitsFor(acquire(priority));
    return claim.waitsFor(
      withoutRequest(() =>
        loan.then(
          (granted) => {
            claim.acquired();
            loans.set(granted, claim);
            return granted;
          },
          (error: unknown) => {
            claim.end();
            throw error;
          },
        ),
      ),
    );
  }
  replaceMethods(pool, {
    acquire: (priority?: number) => claimed(false, priority),
    release(loan: unknown) {
      giveBack(loan);
      return release(loan);
    },
    destroy(loan: unknown) {
      giveBack(loan);
      return destroy(loan);
    },
    async use<T>(fn: (loan: unknown) => Promise<T>, priority?: number): Promise<T> {
      const loan = await claimed(true, priority);
      let result: T;
      try {
        result = await fn(loan);
      } catch (error) {
        void pool.destroy(loan);
        throw error;
      }
      void pool.release(loan);
      return result;
    },
  });
}

/** The pool shows its settings to nobody; where they lie elsewhere, a wait is taken to last. */
function acquireTimeoutOf(pool: Pool): number | undefined {
  const settings: unknown = Reflect.get(pool, '_config');
  const timeoutMs: unknown =
    typeof settings === 'object' && settings !== null ? Reflect.get(settings, 'acquireTimeoutMillis') : undefined;
  return typeof timeoutMs === 'number' && timeoutMs > 0 ? timeoutMs : undefined;
}

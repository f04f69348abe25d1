import { type Claim, resource, withoutRequest } from '@hangwatch/core';
import { countOf, hasMethods, type Instrumentation, replaceMethods, type Said } from './instrumentation.ts';

interface Client {
  release: (error?: unknown) => void;
}
type Connected = (error: unknown, client: Client | undefined, done: (error?: unknown) => void) => void;

/** https://github.com/brianc/node-postgres/tree/master/packages/pg-pool */
interface Pool {
  readonly options: { readonly max: number; readonly connectionTimeoutMillis?: number };
  readonly totalCount: number;
  readonly idleCount: number;
  connect(connected: Connected): void;
}

/** pg-pool, which is `pg.Pool`. */
export const pgPool: Instrumentation = {
  library: 'pg-pool',
  recognises: (thing) =>
    hasMethods(thing, ['connect', 'query', 'end']) &&
    'totalCount' in thing &&
    'idleCount' in thing &&
    'waitingCount' in thing,
  refuses: (thing) =>
    countOf(thing, 'totalCount') > countOf(thing, 'idleCount')
      ? 'some of its clients are in use already: instrument it where it is made'
      : undefined,
  instrument(thing, name, said) {
    instrumentPool(thing as Pool, name, said);
    return thing;
  },
};

function instrumentPool(pool: Pool, name: string, said: Said): void {
  const { max, connectionTimeoutMillis = 0 } = pool.options;
  const clients = resource(name, {
    ...said,
    type: 'pool',
    cancellable: false,
    capacity: Math.max(1, max),
    // One that is being connected counts: until it is, nobody is known to have it, and nothing is proven.
    inUse: () => pool.totalCount - pool.idleCount,
  });
  const timeoutMs = connectionTimeoutMillis > 0 ? connectionTimeoutMillis : undefined;
  const connect = pool.connect.bind(pool);

  function claimed(connected: Connected): { claim: Claim; whenConnected: Connected } {
    const claim = clients.claim({ timeoutMs });
    const whenConnected: Connected = (error, client, done) => {
      if (client === undefined) {
        claim.end();
        connected(error, client, done);
        return;
      }
      claim.acquired();
      // The pool makes another `release` each time that it hands a client out.
      const { release } = client;
      client.release = (reason) => {
        claim.end();
        release(reason);
      };
      connected(error, client, client.release);
    };
    return { claim, whenConnected };
  }

  replaceMethods(pool, {
    connect(connected?: Connected) {
      if (connected !== undefined) return connect(claimed(connected).whenConnected);
      const PromiseOfPool = promiseOf(pool);
      let waiting: Claim | undefined;
      const client = new PromiseOfPool<Client | undefined>((resolve, reject) => {
        const { claim, whenConnected } = claimed((error, got) => {
          if (got === undefined) reject(error);
          else resolve(got);
        });
        waiting = claim;
        connect(whenConnected);
      });
      const withStack = withoutRequest(() =>
        client.catch((error: unknown) => {
          // As the pool does: the stack leads to whoever wanted the client, and not to the socket.
          if (typeof error === 'object' && error !== null) Error.captureStackTrace(error);
          throw error;
        }),
      );
      return waiting?.waitsFor(withStack) ?? withStack;
    },
  });
}

/** The pool may have been told of a kind of promise of its own. */
function promiseOf(pool: Pool): PromiseConstructor {
  const own: unknown = Reflect.get(pool, 'Promise');
  return typeof own === 'function' ? (own as PromiseConstructor) : Promise;
}

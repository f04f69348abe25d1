import net from 'node:net';
import { Mutex, Semaphore, withTimeout } from 'async-mutex';
import DataLoader from 'dataloader';
import genericPool from 'generic-pool';
import knexFactory from 'knex';
import pLimit from 'p-limit';
import pMemoize from 'p-memoize';
import PQueue from 'p-queue';
import pg from 'pg';
import { Pool as Tarn } from 'tarn';
import { declare, never, report } from './harness.mjs';

const firstLost =
  'the first waiter of a promise with several: V8 stops there, and nothing was captured (see the group shared for the early look)';
const innerHandler = (inner) =>
  async function handler() {
    await null;
    return /*@handler*/ await inner();
  };
// Of a second waiter the innermost position is where V8 stood when the await began: at the call whose promise is awaited, not at `await`.

/** `mark` is where `inner` waits; without one its frame is lost. */
function lock(name, mark, inner, { handler = innerHandler, ...options } = {}) {
  declare(name, [...(mark === null ? [] : [`inner@${mark}`]), 'handler@handler'], handler(inner), options);
}

const shared = never();
lock(
  'cached promise: first waiter of three',
  null,
  async function inner() {
    await shared;
  },
  { limit: firstLost },
);
lock('cached promise: second waiter', 'cached2', async function inner() {
  /*@cached2*/ await shared;
});
lock('cached promise: third waiter', 'cached3', async function inner() {
  /*@cached3*/ await shared;
});

const cache = new Map();
async function load() {
  /*@load*/ await never();
}
function get(key) {
  if (!cache.has(key)) cache.set(key, load());
  return cache.get(key);
}
lock(
  'async cache: the request that loads',
  null,
  async function inner() {
    await get('a');
  },
  { other: [['load@load']], limit: firstLost },
);
lock('async cache: the second request', 'cacheSecond', async function inner() {
  await /*@cacheSecond*/ get('a');
});
declare('cached promise of a plain function: third', ['handler@plainThird'], async function handler() {
  await null;
  return await /*@plainThird*/ get('a');
});
const cached = never();
declare(
  'cached promise, returned by a handler: first',
  [],
  function handler() {
    return cached;
  },
  { limit: 'no function of the application is suspended' },
);

const memoized = pMemoize(async function load() {
  /*@memo*/ await never();
});
lock(
  'p-memoize: first',
  null,
  async function inner() {
    await memoized('k');
  },
  { other: [['load@memo']], limit: firstLost },
);
lock('p-memoize: second', 'memoSecond', async function inner() {
  await /*@memoSecond*/ memoized('k');
});

const loader = new DataLoader(async function batch() {
  await never();
});
lock('DataLoader: first', 'loader1', async function inner() {
  /*@loader1*/ await loader.load(1);
});
lock('DataLoader: second, same key', 'loader2', async function inner() {
  /*@loader2*/ await loader.load(1);
});
lock('DataLoader: another key', 'loader3', async function inner() {
  /*@loader3*/ await loader.load(2);
});

const runsInQueue = 'the library runs the job itself and resolves a promise of its own when it is done: V8 has no link';
const mutex = new Mutex();
lock(
  'async-mutex runExclusive: holder',
  'holder',
  async function inner() {
    /*@holder*/ await mutex.runExclusive(async function critical() {
      /*@critical*/ await never();
    });
  },
  { other: [['critical@critical']], limit: runsInQueue },
);
lock('async-mutex runExclusive: waiter', 'exclusive', async function inner() {
  /*@exclusive*/ await mutex.runExclusive(async function critical() {});
});
lock('async-mutex acquire: waiter', 'acquire', async function inner() {
  /*@acquire*/ await mutex.acquire();
});
lock('async-mutex waitForUnlock', 'unlock', async function inner() {
  /*@unlock*/ await mutex.waitForUnlock();
});
lock('async-mutex withTimeout', 'withTimeout', async function inner() {
  /*@withTimeout*/ await withTimeout(mutex, 1e8).acquire();
});
const semaphore = new Semaphore(1);
lock('semaphore: holder', 'semaphoreHolder', async function inner() {
  await semaphore.acquire();
  /*@semaphoreHolder*/ await never();
});
lock('semaphore: waiter', 'semaphore', async function inner() {
  /*@semaphore*/ await semaphore.acquire();
});

const limit = pLimit(1);
lock(
  'p-limit: running',
  'limitRunning',
  async function inner() {
    /*@limitRunning*/ await limit(async function job() {
      /*@limitJob*/ await never();
    });
  },
  { other: [['job@limitJob']], limit: runsInQueue },
);
lock('p-limit: waiting', 'limitWaiting', async function inner() {
  /*@limitWaiting*/ await limit(async function job() {});
});
const queue = new PQueue({ concurrency: 1 });
lock(
  'p-queue: running',
  'queueRunning',
  async function inner() {
    /*@queueRunning*/ await queue.add(async function job() {
      /*@queueJob*/ await never();
    });
  },
  { other: [['job@queueJob']], limit: runsInQueue },
);
lock('p-queue: waiting', 'queueWaiting', async function inner() {
  /*@queueWaiting*/ await queue.add(async function job() {});
});
lock('p-queue: onIdle', 'idle', async function inner() {
  /*@idle*/ await queue.onIdle();
});

const generic = genericPool.createPool({ create: async () => ({}), destroy: async () => {} }, { max: 1 });
lock('generic-pool: holder', 'genericHolder', async function inner() {
  await generic.acquire();
  /*@genericHolder*/ await never();
});
lock('generic-pool: waiter', 'genericWaiter', async function inner() {
  const acquired = generic.acquire();
  /*@genericWaiter*/ await acquired;
});
lock('generic-pool: use()', 'genericUse', async function inner() {
  /*@genericUse*/ await generic.use(async function work() {});
});
const tarn = new Tarn({ create: async () => ({}), destroy() {}, min: 0, max: 1, acquireTimeoutMillis: 1e8 });
lock('tarn: holder', 'tarnHolder', async function inner() {
  await tarn.acquire().promise;
  /*@tarnHolder*/ await never();
});
lock('tarn: waiter', 'tarnWaiter', async function inner() {
  /*@tarnWaiter*/ await tarn.acquire().promise;
});

// A PostgreSQL server that accepts the start-up and answers nothing after it.
const ready = Buffer.from([0x52, 0, 0, 0, 8, 0, 0, 0, 0, 0x5a, 0, 0, 0, 5, 0x49]);
const server = net.createServer((socket) => {
  socket.on('error', () => {});
  socket.once('data', () => socket.write(ready));
});
await new Promise((resolve) => server.listen(0, '127.0.0.1', resolve));
const connection = { host: '127.0.0.1', port: server.address().port, user: 'u', password: 'p', database: 'd' };
const pool = new pg.Pool({ ...connection, max: 1 });
lock('pg: query never answered', 'pgQuery', async function inner() {
  const client = await pool.connect();
  /*@pgQuery*/ await client.query('select 1');
});
lock('pg: connect on an exhausted pool', 'pgConnect', async function inner() {
  /*@pgConnect*/ await pool.connect();
});
lock('pg: pool.query on an exhausted pool', 'pgPoolQuery', async function inner() {
  /*@pgPoolQuery*/ await pool.query('select 1');
});
const knex = knexFactory({ client: 'pg', connection, pool: { min: 0, max: 1 }, acquireConnectionTimeout: 1e8 });
lock(
  'knex: query never answered',
  'knexQuery',
  async function inner() {
    /*@knexQuery*/ await knex('t').select('a');
  },
  { dependency: 'ensureConnection' },
);
lock(
  'knex: exhausted pool',
  'knexExhausted',
  async function inner() {
    /*@knexExhausted*/ await knex('t').select('a');
  },
  { dependency: 'acquireConnection' },
);

lock('Promise.all over a shared and an own one', 'allShared', async function inner() {
  /*@allShared*/ await Promise.all([shared, never()]);
});
lock('race of a shared and an own one', 'raceShared', async function inner() {
  /*@raceShared*/ await Promise.race([shared, never()]);
});

await report(import.meta.url, { waitMs: 600 });

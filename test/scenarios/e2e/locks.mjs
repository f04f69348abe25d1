// Requests that wait for locks, pools and queues of real libraries: some for ever, and beside each one that looks the same and goes on, or may.
import { EventEmitter } from 'node:events';
import http from 'node:http';
import { createRequire } from 'node:module';
import { setTimeout as delay } from 'node:timers/promises';
import { watchServer } from '@hangwatch/core';
import { instrument } from '@hangwatch/locks';
import { Mutex, Semaphore, withTimeout } from 'async-mutex';
import genericPool from 'generic-pool';
import pLimit from 'p-limit';
import PgPool from 'pg-pool';
import { logOf } from './modules/logging.mjs';

const LONG_MS = 600_000;

/** Everybody waits here until so many have come. */
function meeting(count) {
  let arrived = 0;
  let open;
  const all = new Promise((resolve) => {
    open = resolve;
  });
  return () => {
    if (++arrived === count) open();
    return all;
  };
}

const mutexes = ['a', 'b', 'c', 'd', 'e', 'f'].map((name) => instrument(new Mutex(), { name }));
const [a, b, c, d, e, f] = mutexes;
const semaphore = instrument(new Semaphore(2), { name: 'two at once' });
const limit = instrument(pLimit(1), { name: 'one at a time' });
const safeLimit = instrument(pLimit(2), { name: 'safe limit' });

function pool(name, settings) {
  const factory = { create: async () => ({ name }), destroy: async () => undefined };
  return instrument(genericPool.createPool(factory, { max: 2, ...settings }), { name });
}
const connections = pool('connections');
const timedConnections = pool('timed connections', { acquireTimeoutMillis: LONG_MS });
const leaky = pool('leaky');

class Client extends EventEmitter {
  _queryable = true;
  connect(done) {
    setImmediate(done);
  }
  end(done) {
    done?.();
  }
}
const pg = (name, settings) => instrument(new PgPool({ max: 2, Client, ...settings }), { name });
const database = pg('database');
const timedDatabase = pg('timed database', { connectionTimeoutMillis: LONG_MS });
const leakyDatabase = pg('leaky database');

const crossing = (first, second, both) => () =>
  first.runExclusive(async () => {
    await both();
    await second.runExclusive(async () => undefined);
  });
const [abMet, cdMet, semaphoresMet, poolMet, timedPoolMet, pgMet, timedPgMet] = Array.from({ length: 7 }, () =>
  meeting(2),
);

/**
 * One imports a module that logs; the other holds the lock of the log and imports the same module.
 *
 * @param first imports it, and has it evaluated
 * @param second imports it as well, once that has begun
 */
function importing(name, first, second = first) {
  const { lock, wanted } = logOf(name);
  const held = meeting(2);
  return {
    async [`/${name}/reports`]() {
      await held();
      return await first();
    },
    async [`/${name}/flush`]() {
      const release = await lock.acquire();
      await held();
      await wanted;
      const module = await second();
      release();
      return module;
    },
  };
}
const require = createRequire(import.meta.url);
void import('./modules/slow.mjs?outside');

const routes = {
  ...importing('logging', async () => await import('./modules/feature.mjs?logging')),
  ...importing('by-require', async () => await require('./modules/importer.cjs')()),
  ...importing('chain', async () => await import('./modules/needs-feature.mjs')),
  ...importing('slow', async () => await import('./modules/slow.mjs?slow')),
  ...importing('raced', async () => await import('./modules/raced.mjs?raced')),
  ...importing(
    'given-up',
    async () => await import('./modules/feature.mjs?given-up'),
    async () => await Promise.race([import('./modules/feature.mjs?given-up'), delay(LONG_MS)]),
  ),
  // The second one waits for a module that is evaluated outside any request, and not for the one that waits for its lock.
  ...importing(
    'two-at-once',
    async () => await Promise.all([import('./modules/feature.mjs?two-at-once'), import('./modules/slow.mjs?outside')]),
    async () => await import('./modules/slow.mjs?outside'),
  ),
  // It would fail together with a module that a third request evaluates.
  '/needs-both/third': async () => await import('./modules/slow.mjs?needed'),
  ...importing('needs-both', async () => await import('./modules/needs-both.mjs')),
  '/mutex/ab': crossing(a, b, abMet),
  '/mutex/ba': crossing(b, a, abMet),
  '/mutex-timeout/cd': crossing(c, withTimeout(d, LONG_MS), cdMet),
  '/mutex-timeout/dc': crossing(d, c, cdMet),
  async '/mutex-released/holder'() {
    const release = await e.acquire();
    await delay(LONG_MS);
    release();
  },
  '/mutex-released/waiter': () => e.runExclusive(async () => undefined),
  async '/mutex-alone'() {
    await f.acquire();
    await f.acquire();
  },
  async '/semaphore'() {
    await semaphore.acquire();
    await semaphoresMet();
    await semaphore.acquire();
  },
  '/limit': () => limit(async () => await limit(async () => 1)),
  '/safe-limit': () => safeLimit(async () => await safeLimit(async () => await delay(LONG_MS))),
  async '/pool'() {
    await connections.acquire();
    await poolMet();
    await connections.acquire();
  },
  '/pool-timed': () =>
    timedConnections.use(async () => {
      await timedPoolMet();
      await timedConnections.acquire();
    }),
  async '/leak'() {
    await leaky.acquire();
  },
  '/leak-waiter': () => leaky.acquire(),
  async '/pg'() {
    const client = await database.connect();
    await pgMet();
    await database.connect();
    client.release();
  },
  async '/pg-timed'() {
    await timedDatabase.connect();
    await timedPgMet();
    await timedDatabase.connect();
  },
  async '/pg-leak'() {
    await leakyDatabase.connect();
  },
  '/pg-leak-waiter': () => leakyDatabase.connect(),
};
async function answer(request, response) {
  await routes[request.url]();
  response.end('ok');
}

const server = http.createServer((request, response) => {
  if (request.url !== '/pg-leak-callback') return answer(request, response);
  // Nothing is awaited.
  leakyDatabase.connect(() => response.end('ok'));
});
watchServer(server, { timeout: 300, scanInterval: 100 });
server.listen(0, '127.0.0.1', () => console.log(JSON.stringify({ port: server.address().port })));

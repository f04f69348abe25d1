// Requests that wait for locks, pools and queues of real libraries: some for ever, and beside each one that looks the same and goes on, or may.
import { EventEmitter } from 'node:events';
import http from 'node:http';
import { setTimeout as delay } from 'node:timers/promises';
import { watchServer } from '@hangwatch/core';
import { instrument } from '@hangwatch/locks';
import { Mutex, Semaphore, withTimeout } from 'async-mutex';
import genericPool from 'generic-pool';
import pLimit from 'p-limit';
import PgPool from 'pg-pool';
import { logging } from './modules/logging.mjs';

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

/** Imports a module while it holds the lock that the module's first line takes. */
async function importUnderLock(lock, importModule) {
  const release = await lock.acquire();
  // The other one imports it meanwhile.
  await new Promise((resolve) => rotations.push(resolve));
  await importModule();
  release();
}
const rotations = [];
const [slow, slower] = ['slow', 'slower'].map((name) => instrument(new Mutex(), { name }));
globalThis.locks = { slow, slower, LONG_MS };

const routes = {
  '/import/flush': () => importUnderLock(logging, () => import('./modules/feature.mjs')),
  async '/import/reports'() {
    rotations.pop()();
    const { feature } = await import('./modules/feature.mjs');
    return feature;
  },
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

// Servers of four frameworks whose requests wait for locks and pools of the application's own, made known with `resource`.
import { watch } from 'node:fs';
import http from 'node:http';
import net from 'node:net';
import { setTimeout as delay } from 'node:timers/promises';
import { MessageChannel } from 'node:worker_threads';
import { resource, watchServer, withoutRequest } from '@hangwatch/core';
import hangwatchExpress from '@hangwatch/express';
import hangwatchFastify from '@hangwatch/fastify';
import { hangwatch as hangwatchKoa } from '@hangwatch/koa';
import express from 'express';
import Fastify from 'fastify';
import Koa from 'koa';

const OPTIONS = { timeout: 300, scanInterval: 100 };

/** A lock or a pool as applications write them, which tells hangwatch what it does. */
class Seats {
  #queue = [];
  #taken = 0;
  #resource;

  constructor(name, options = {}) {
    this.#resource = resource(name, { inUse: () => this.#taken, ...options });
  }

  /** Nobody but this function gets at the release. */
  async during(fn) {
    const release = await this.take(undefined, true);
    try {
      return await fn();
    } finally {
      release();
    }
  }

  take(timeoutMs, scoped = false) {
    const claim = this.#resource.claim({ timeoutMs, scoped });
    return claim.waitsFor(
      withoutRequest(() =>
        this.#turn().then(() => {
          claim.acquired();
          return () => {
            claim.end();
            this.#taken -= 1;
            this.#queue.shift()?.();
          };
        }),
      ),
    );
  }

  async #turn() {
    while (this.#taken >= this.#resource.capacity) await new Promise((resolve) => this.#queue.push(resolve));
    this.#taken += 1;
  }
}

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

const never = () => new Promise(() => {});

/** Two requests that take two locks in the opposite order; `second` is how each waits for its second. */
function crossing(name, second = (seats) => seats.take(), options = {}) {
  const [a, b] = [new Seats(`${name} a`, options), new Seats(`${name} b`, options)];
  const both = meeting(2);
  const route = (first, other) => async (response) => {
    const release = await first.take();
    await both();
    (await second(other, release, response))();
    release();
  };
  return { [`/${name}/a`]: route(a, b), [`/${name}/b`]: route(b, a) };
}

/** Its holder waits for the second lock like any other, and has left behind what may release the first. */
const leftBehind = (leave) => (seats, release, response) => {
  leave(release, response);
  return seats.take();
};
const LONG_MS = 600_000;
const silent = net.createServer().listen(0, '127.0.0.1');
const kept = [];

/** As the crossing, with functions that alone can release; what the requests leave behind can at most have somebody who waits give up. */
function scopedCrossing(name, cancellable) {
  const [a, b] = ['a', 'b'].map((each) => new Seats(`${name} ${each}`, { cancellable }));
  const both = meeting(2);
  const route = (first, other) => () =>
    first.during(async () => {
      setTimeout(() => undefined, LONG_MS);
      await both();
      await other.during(async () => undefined);
    });
  return { [`/${name}/a`]: route(a, b), [`/${name}/b`]: route(b, a) };
}

const self = new Seats('self');
const reentrant = new Seats('reentrant', { reentrant: true });
const pool = new Seats('pool', { capacity: 2 });
const poolFull = meeting(2);
const busy = new Seats('busy', { capacity: 2, type: 'pool' });
const leaky = new Seats('leaky', { capacity: 2 });
const background = new Seats('background');
const passedOn = new Seats('passed on');
let passed;

const routes = {
  ...crossing('cycle-http'),
  ...crossing('cycle-fastify'),
  ...crossing('cycle-express'),
  ...crossing('cycle-koa'),
  ...crossing('timed', (seats) => seats.take(600_000)),
  ...crossing('race', (seats) => Promise.race([seats.take(), delay(600_000)])),
  ...crossing('beside', async (seats, release) => {
    void delay(600_000).then(release);
    return seats.take();
  }),
  ...crossing('all', async (seats) => (await Promise.all([seats.take(), seats.take()]))[0]),
  ...crossing('all-but', async (seats) => (await Promise.all([seats.take(), delay(600_000)]))[0]),
  ...crossing('miscounted', undefined, { inUse: () => 0 }),
  ...crossing(
    'timer',
    leftBehind((release) => setTimeout(release, LONG_MS)),
  ),
  ...crossing(
    'unref',
    leftBehind((release) => setInterval(release, LONG_MS).unref()),
  ),
  ...crossing(
    'signal',
    leftBehind((release) => {
      const signal = AbortSignal.timeout(LONG_MS);
      signal.addEventListener('abort', release);
      kept.push(signal);
    }),
  ),
  ...crossing(
    'client',
    leftBehind((release, response) => response.once('close', release)),
  ),
  ...crossing(
    'socket',
    leftBehind((release) => net.connect(silent.address().port, '127.0.0.1').once('data', release)),
  ),
  ...crossing(
    'port',
    leftBehind((release) => {
      const { port1, port2 } = new MessageChannel();
      port1.once('message', release).unref();
      kept.push(port2);
    }),
  ),
  ...crossing(
    'watcher',
    leftBehind((release) => kept.push(watch(import.meta.dirname, { persistent: false }, release))),
  ),
  ...crossing('handed-over', undefined, { handedOver: true }),
  ...scopedCrossing('scoped', false),
  ...scopedCrossing('cancellable', true),
  async '/self'() {
    await self.take();
    await self.take();
  },
  async '/reentrant'() {
    await reentrant.take();
    await reentrant.take();
  },
  async '/pool'() {
    await pool.take();
    await poolFull();
    await pool.take();
  },
  async '/busy-holder'() {
    await busy.take();
    await never();
  },
  async '/busy-waiter'() {
    await busy.take();
  },
  async '/leak'() {
    await leaky.take();
  },
  async '/leak-waiter'() {
    await leaky.take();
  },
  async '/background'() {
    await background.take();
  },
  /** Once somebody else has released what a request held, nothing that is held of it proves anything. */
  async '/hand-over'() {
    passed = await passedOn.take();
    await never();
  },
  async '/release-for-another'() {
    passed();
  },
  async '/passed-on'() {
    await passedOn.take();
    await passedOn.take();
  },
};

const handle = (path, response) => Promise.resolve(routes[path.split('?')[0]]?.(response));
const listening = (server) =>
  new Promise((resolve) => server.listen(0, '127.0.0.1', () => resolve(server.address().port)));

const plain = http.createServer(async (request, response) => {
  await handle(request.url, response);
  response.end('ok');
});
watchServer(plain, OPTIONS);
await background.take();

const fastify = Fastify();
await fastify.register(hangwatchFastify, OPTIONS);
fastify.get('/*', async (request) => {
  await handle(request.url);
  return 'ok';
});
await fastify.ready();

const expressApp = express();
expressApp.use(hangwatchExpress(OPTIONS));
expressApp.use(async (request, response) => {
  await handle(request.url);
  response.end('ok');
});

const koa = new Koa();
koa.use(hangwatchKoa(OPTIONS));
koa.use(async (context, next) => {
  await next();
  context.body = 'ok';
});
koa.use(async (context) => {
  await handle(context.url);
});

const ports = {
  http: await listening(plain),
  fastify: await listening(fastify.server),
  express: await listening(http.createServer(expressApp)),
  koa: await listening(http.createServer(koa.callback())),
};
console.log(JSON.stringify(ports));

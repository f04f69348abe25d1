// Real servers, with background work in each request's own context: what the handler waits for is found by the wrapper's frame.
import http from 'node:http';
import { setTimeout as sleep } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { AwaitContext, ownAwait, runOwn } from '@hangwatch/async-hooks-helpers';
import Router from '@koa/router';
import express from 'express';
import express4 from 'express4';
import fastify from 'fastify';
import fastify4 from 'fastify4';
import Koa from 'koa';
import Koa2 from 'koa2';
import { check, clock, collect, marksOf, never, print, tracker } from './harness.mjs';

const marks = marksOf(fileURLToPath(import.meta.url));
const contexts = new Map();
function enter(id) {
  const context = new AwaitContext(new Uint32Array(1), 0);
  contexts.set(id, context);
  return context;
}
function wrap(fn) {
  const wrapped = function (...args) {
    return ownAwait(fn.apply(this, args));
  };
  // Express tells error handlers, Fastify callback hooks, by the number of parameters.
  return Object.defineProperty(wrapped, 'length', { value: fn.length });
}

// ---- the application
async function query() {
  await sleep(5);
  /*@query*/ await never();
}
async function service() {
  await null;
  return /*@service*/ await query();
}
async function beat() {
  await null;
  await sleep(1);
}
function background() {
  setInterval(async function tick() {
    await beat();
    await beat();
  }, 2).unref();
  (async function heartbeat() {
    for (;;) {
      await sleep(3);
      await beat();
    }
  })();
  (async function consumer() {
    for await (const _ of { [Symbol.asyncIterator]: () => ({ next: () => never() }) }) {
      // a queue that is empty
    }
  })();
}
async function action() {
  background();
  return /*@action*/ await service();
}
async function userHandler() {
  /*@userHandler*/ await action();
}

const OWN = ['query@query', 'service@service', 'action@action', 'userHandler@userHandler'];
const PLAIN = ['query@query', 'service@service'];
const expected = new Map();
const OLD_MS = 500;
const agent = new http.Agent();
/** @param own whether the frames are the request's own stack; else they are seen, as other work */
function request(port, prefix, path, frames, own = true) {
  expected.set(`${prefix} ${path}`, { frames, own });
  http.get({ host: '127.0.0.1', port, path, agent }).on('error', () => {});
}
const listen = (server) =>
  new Promise((resolve) => server.listen(0, '127.0.0.1', () => resolve(server.address().port)));

for (const [name, create, ofLayer] of [
  ['express 5', express, wrap],
  ['express 4', express4, wrap],
  ['express 5, not wrapped', express, (fn) => fn],
  ['express 4, not wrapped', express4, (fn) => fn],
]) {
  const app = create();
  const own = ofLayer === wrap;
  app.use((req, _res, next) => tracker.run(enter(`${name} ${req.path}`), next));
  app.use(
    ofLayer(async function authenticate(req, _res, next) {
      await sleep(1);
      if (req.path === '/middleware') /*@authenticate*/ await query();
      next();
    }),
  );
  app.get('/handler', ofLayer(userHandler));
  app.get(
    '/then',
    ofLayer(function plainHandler(_req, res) {
      background();
      service().then(() => res.end());
    }),
  );
  const router = create.Router();
  router.get('/router', ofLayer(userHandler));
  app.use('/sub', router);
  const port = await listen(http.createServer(app));
  request(port, name, '/handler', OWN, own);
  request(port, name, '/middleware', ['query@query', 'authenticate@authenticate'], own);
  request(port, name, '/sub/router', OWN, own);
  request(port, name, '/then', PLAIN, false);
}

for (const [name, Application] of [
  ['koa 3', Koa],
  ['koa 2', Koa2],
]) {
  const app = new Application();
  app.use((ctx, next) => tracker.run(enter(`${name} ${ctx.path}`), () => runOwn(next)));
  app.use(async function logger(_ctx, next) {
    /*@logger*/ await next();
  });
  app.use(async function authenticate(ctx, next) {
    if (ctx.path === '/middleware') /*@koaAuthenticate*/ await query();
    return next();
  });
  const router = new Router();
  router.get('/handler', userHandler);
  router.get('/returned', function plainHandler() {
    background();
    return service();
  });
  app.use(router.routes());
  const port = await listen(http.createServer(app.callback()));
  request(port, name, '/handler', [...OWN, 'logger@logger']);
  request(port, name, '/middleware', ['query@query', 'authenticate@koaAuthenticate', 'logger@logger']);
  request(port, name, '/returned', [...PLAIN, 'logger@logger']);
}

for (const [name, create] of [
  ['fastify 5', fastify],
  ['fastify 4', fastify4],
]) {
  const app = create();
  app.addHook('onRoute', (route) => {
    route.handler = wrap(route.handler);
    for (const hook of ['preHandler', 'onSend']) if (route[hook]) route[hook] = [route[hook]].flat().map(wrap);
  });
  app.addHook('onRequest', (req, _reply, done) => {
    tracker.run(enter(`${name} ${req.url}`), done);
  });
  // Fastify itself calls what is hooked in for all routes: no route has it to wrap.
  app.addHook('preHandler', async function globalHook(req) {
    if (req.url === '/global-hook') /*@globalHook*/ await query();
  });
  app.get('/global-hook', async function unreached() {});
  app.get('/handler', userHandler);
  app.get(
    '/hook',
    {
      preHandler: async function routeHook() {
        /*@routeHook*/ await query();
      },
    },
    async function unreached() {},
  );
  app.get('/returned', function plainHandler() {
    background();
    return service();
  });
  app.get('/send', function plainHandler(_req, reply) {
    background();
    service().then((x) => reply.send(x));
  });
  app.get(
    '/onsend',
    {
      onSend: async function slowSend(_req, _reply, payload) {
        /*@slowSend*/ await query();
        return payload;
      },
    },
    async function sends() {
      return { a: 1 };
    },
  );
  await app.listen({ port: 0, host: '127.0.0.1' });
  const { port } = app.server.address();
  request(port, name, '/handler', OWN);
  request(port, name, '/hook', ['query@query', 'routeHook@routeHook']);
  request(port, name, '/returned', PLAIN);
  request(port, name, '/send', PLAIN, false);
  request(port, name, '/global-hook', ['query@query', 'globalHook@globalHook'], false);
  request(port, name, '/onsend', ['query@query', 'slowSend@slowSend']);
}

const started = performance.now();
const ticking = setInterval(() => {
  clock[0] = performance.now() - started;
}, 10);
const named = (stack) =>
  stack.frames
    .filter((frame) => frame.kind === 'app')
    .map(
      (frame) =>
        `${frame.function}@${[...marks].find(([, at]) => at.line === frame.line && at.column === frame.column)?.[0]}`,
    );
const isAt = (stack, frames) => JSON.stringify(named(stack)) === JSON.stringify(frames);
const ownOf = (stacks, id) => (stacks.get(contexts.get(id)) ?? []).filter((stack) => stack.own);
const isYoung = (stack) => !stack.own && stack.ageMs < OLD_MS;
const hasYoung = (stacks) => [...contexts.values()].some((context) => stacks.get(context)?.some(isYoung));
/** Each request is where it hangs, for long enough to be told from what beats beside it. */
const cameSoFar = (stacks) =>
  [...expected].every(([id, { frames, own }]) =>
    (own ? ownOf(stacks, id) : (stacks.get(contexts.get(id)) ?? [])).some(
      (stack) => stack.ageMs > OLD_MS && isAt(stack, frames),
    ),
  );
const giveUpAt = Date.now() + 20_000;
let stacks;
do {
  await sleep(50);
  stacks = collect(contexts.values()).stacks;
} while (!(cameSoFar(stacks) && hasYoung(stacks)) && Date.now() < giveUpAt);
clearInterval(ticking);
for (const [id, { frames, own }] of expected) {
  const all = stacks.get(contexts.get(id)) ?? [];
  const owned = ownOf(stacks, id);
  check(`${id}: its own stack`, owned.map(named), own ? [frames] : []);
  if (own) {
    check(
      `${id}: old, whatever beats beside it`,
      owned.every((stack) => stack.ageMs > OLD_MS),
      true,
    );
    check(`${id}: own comes first`, all[0].own, true);
  } else {
    // Nothing of the handler's is awaited by the wrapper: the chain is seen, as one stack among others.
    check(
      `${id}: the chain is there, not own`,
      all.some((stack) => isAt(stack, frames)),
      true,
    );
  }
}
check('background work is seen as young, and not own', hasYoung(stacks), true);
print();

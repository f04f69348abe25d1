import { hangwatch } from '@hangwatch/koa';
import Router from '@koa/router';
import * as probe from '../probe.mjs';
import { createServer } from './create-server.mjs';
import { closeServer } from './node-listener.mjs';

/** The same application on Koa 2 and 3. */
export async function startKoa(Koa, watched, scheme) {
  const app = new Koa();
  app.silent = true;
  let middleware;
  if (watched) {
    middleware = hangwatch(probe.options);
    app.use(middleware);
  }
  app.use(async function outermost(ctx, next) {
    probe.note('outermost');
    await next();
    ctx.set('x-after', String(ctx.status));
  });
  app.use(async function middlewareHangs(ctx, next) {
    if (ctx.path !== '/guarded') return next();
    ctx.respond = false;
    await probe.hang(ctx.res);
  });
  const route = watched ? hangwatch.route : () => (_ctx, next) => next();
  const waits = async (ctx) => {
    ctx.respond = false;
    await probe.hang(ctx.res);
  };

  const inner = new Router();
  inner.use(async function innerFirst(_ctx, next) {
    probe.note('innerFirst');
    await next();
  });
  inner.get('/', waits);
  inner.get('/items/:id/hang', async function itemHangs(ctx) {
    ctx.respond = false;
    await probe.hang(ctx.res);
  });
  inner.get(
    '/layers',
    async function first(_ctx, next) {
      probe.note('first');
      try {
        await next();
      } catch {
        // Koa has no error handlers: middleware catches.
      }
    },
    function second(ctx) {
      probe.note('second');
      ctx.status = 418;
      ctx.body = 'handled';
      throw new Error('to the one outside');
    },
  );
  const router = new Router();
  router.use('/api/tenants/:tenant', inner.routes());
  router.get('/ok', (ctx) => {
    ctx.body = 'ok';
  });
  router.get('/json', (ctx) => {
    ctx.cookies.set('a', '1');
    ctx.cookies.set('b', '2');
    ctx.body = { a: 1 };
  });
  router.get('/throw', () => {
    throw new Error('failed');
  });
  router.get('/reject', async () => {
    await probe.tick();
    throw Object.assign(new Error('failed'), { status: 503, expose: true });
  });
  router.get('/stream', (ctx) => {
    ctx.body = probe.chunks();
  });
  router.get('/partial', async (ctx) => {
    ctx.respond = false;
    ctx.res.write('some');
    await probe.hang(ctx.res);
  });
  router.post('/upload', async (ctx) => {
    ctx.body = await probe.digest(ctx.req);
  });
  router.get('/als', async (ctx) => {
    ctx.body = await probe.ownContext('mine');
  });
  router.get('/unhandled', (ctx) => {
    ctx.body = 'ok';
    probe.failLater();
  });
  router.get('/handled', (ctx) => {
    ctx.body = 'ok';
    probe.failHandled();
  });
  router.get('/leave', (ctx) => {
    probe.leaveTwice();
    ctx.body = 'ok';
  });
  router.get(
    '/lost',
    function losesContext(_ctx, next) {
      return new Promise((resolve, reject) => probe.outside(() => next().then(resolve, reject)));
    },
    function afterwards(ctx) {
      probe.note('afterwards');
      ctx.body = 'ok';
    },
  );
  // Called twice, `next` is an error, with hangwatch as without.
  router.get('/twice', async (_ctx, next) => {
    await next();
    await next();
  });
  router.get('/slow', route({ timeout: 120_000 }), waits);
  router.get('/off', route(false), waits);
  router.get(/^\/expression\/(\d+)/, waits);
  app.use(router.routes());
  app.use(router.allowedMethods());
  app.use(async (ctx, next) => {
    if (ctx.path === '/next-twice') {
      await next();
      await next();
    }
    await next();
  });

  const server = createServer(scheme, app.callback());
  server.on('upgrade', probe.upgrade);
  await new Promise((resolve) => server.listen(0, '127.0.0.1', resolve));
  return {
    server,
    close: async () => {
      await closeServer(server);
      await middleware?.close();
    },
  };
}

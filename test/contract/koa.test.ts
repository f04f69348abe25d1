import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import hangwatch from '@hangwatch/koa';
import Router from '@koa/router';
import Koa3, { type Middleware } from 'koa';
import Koa2 from 'koa2';
import { afterEach, describe, expect, test } from 'vitest';
import { exchange } from './exchange.ts';
import { inFlight, tracker } from './tracker-state.ts';

const ON = { enabled: true, timeout: 30_000 };
const closers: (() => unknown)[] = [];

afterEach(async () => {
  for (const close of closers.splice(0)) await close();
  expect(tracker()).toBeUndefined();
});

function watch() {
  const middleware = hangwatch(ON);
  closers.push(() => middleware.close());
  return middleware;
}

async function get(app: Koa3, path: string) {
  app.silent = true;
  const server = createServer(app.callback());
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  try {
    return await exchange('http', (server.address() as AddressInfo).port, { path });
  } finally {
    server.close();
  }
}

const tell: Middleware = (ctx) => {
  const current = tracker()?.current();
  ctx.body = JSON.stringify([current?.route ?? null, current?.site?.label ?? null, inFlight().length]);
};
const told = async (app: Koa3, path: string) => JSON.parse((await get(app, path)).body) as unknown;

describe.each([
  ['2', Koa2],
  ['3', Koa3],
])('Koa %s', (_, Koa) => {
  test("the application's list of middleware stays its own", async () => {
    const app = new Koa();
    app.use(watch());
    app.use(async (_ctx, next) => next());
    app.use(tell);
    const before = [...app.middleware];
    await get(app, '/');
    expect(app.middleware).toHaveLength(3);
    app.middleware.forEach((each, i) => {
      expect(each).toBe(before[i]);
    });
  });

  test('registered twice on one application, a request is entered once', async () => {
    const app = new Koa();
    app.use(watch());
    app.use(watch());
    app.use(async function last(ctx, next) {
      await next();
      await tell(ctx, next);
    });
    expect(await told(app, '/')).toEqual([null, 'middleware last', 1]);
  });

  test('middleware runs once and in order, before and after', async () => {
    const app = new Koa();
    const order: string[] = [];
    const step =
      (name: string): Middleware =>
      async (_ctx, next) => {
        order.push(`${name} in`);
        await next();
        order.push(`${name} out`);
      };
    const own = watch();
    app.use(step('a'));
    app.use(own);
    app.use(step('b'));
    app.use(own);
    app.use(watch());
    app.use(step('c'));
    await get(app, '/');
    expect(order).toEqual(['a in', 'b in', 'c in', 'c out', 'b out', 'a out']);
  });

  test('composed into another middleware it watches, and names none', async () => {
    const app = new Koa();
    const own = watch();
    app.use((ctx, next) => own(ctx, next));
    app.use(tell);
    expect(await told(app, '/')).toEqual([null, 'request entered', 1]);
  });

  test('an application within a watched one that is watched too: the end of its chain is not that of the whole', async () => {
    const inner = watch();
    const app = new Koa();
    app.use(watch());
    app.use(async (ctx, next) => {
      await next();
      const entry = inFlight()[0];
      ctx.body = JSON.stringify([entry?.chainEnded, entry?.outcome]);
    });
    app.use((ctx, next) => inner(ctx, async () => tell(ctx, next)));
    expect(await told(app, '/')).toEqual([false, 'unknown']);
  });

  test('routes, nested routers, prefixes, routes added later', async () => {
    const app = new Koa();
    app.use(watch());
    const router = new Router({ prefix: '/v1' });
    router.get('/users/:id', tell);
    const inner = new Router();
    inner.get('/items/:item', tell);
    router.use('/shops/:shop', inner.routes(), inner.allowedMethods());
    app.use(router.routes());
    app.use(tell);
    expect(await told(app, '/v1/users/7')).toEqual(['/v1/users/:id', 'handler tell', 1]);
    expect(await told(app, '/v1/shops/1/items/2')).toEqual(['/v1/shops/:shop/items/:item', 'handler tell', 1]);
    router.get('/later/:x', tell);
    expect(await told(app, '/v1/later/1')).toEqual(['/v1/later/:x', 'handler tell', 1]);
    expect(await told(app, '/nowhere')).toEqual([null, 'middleware tell', 1]);
  });

  test('next called twice is the error that it was', async () => {
    const plain = new Koa();
    const app = new Koa();
    app.use(watch());
    for (const each of [plain, app]) {
      each.use(async (ctx, next) => {
        try {
          await next();
        } catch (error) {
          ctx.body = String(error);
        }
      });
      each.use(async (_ctx, next) => {
        await next();
        await next();
      });
    }
    const { body } = await get(app, '/');
    expect(body).toBe('Error: next() called multiple times');
    expect(body).toBe((await get(plain, '/')).body);
  });

  test('after close requests are not watched any more', async () => {
    const app = new Koa();
    const own = hangwatch(ON);
    app.use(own);
    app.use(tell);
    expect(await told(app, '/')).toEqual([null, 'middleware tell', 1]);
    await own.close();
    expect(await told(app, '/')).toEqual([null, null, 0]);
  });
});

test("Koa 3: an application's own way of composing is used", async () => {
  const used: number[] = [];
  const compose = (list: readonly Middleware[]): Middleware => {
    used.push(list.length);
    return async (ctx, next) => {
      const run = async (i: number): Promise<unknown> =>
        list[i] === undefined ? next?.() : list[i](ctx, () => run(i + 1));
      await run(0);
    };
  };
  // @types/koa does not know the option yet.
  const app = new Koa3({ compose } as object);
  app.use(watch());
  app.use(async (_ctx, next) => next());
  app.use(tell);
  expect(await told(app, '/')).toEqual([null, 'middleware tell', 1]);
  expect(used).toEqual([3, 2]);
});

test('wrong options are refused at once', () => {
  expect(() => hangwatch({ timeout: 0 })).toThrow('options.timeout must be a positive number of milliseconds, got 0');
  expect(() => hangwatch.route({ maxDuration: 'x' as unknown as number })).toThrow(
    'hangwatch.route(options).maxDuration must be a positive number of milliseconds or false, got "x"',
  );
});

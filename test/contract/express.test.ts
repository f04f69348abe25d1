import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import hangwatch from '@hangwatch/express';
import express5, { type Express, type RequestHandler, type Router } from 'express';
import express4 from 'express4';
import { afterEach, describe, expect, test } from 'vitest';
import { exchange } from './exchange.ts';
import { inFlight, tracker, untilInFlight } from './tracker-state.ts';

const ON = { enabled: true, timeout: 30_000 };
const closers: (() => unknown)[] = [];

afterEach(async () => {
  for (const close of closers.splice(0)) await close();
  expect(tracker()).toBeUndefined();
});

interface Stack {
  readonly stack: readonly { readonly handle: unknown; readonly name: string; readonly route?: Stack }[];
}
const stackOf = (app: Express) => ((app as { _router?: Stack })._router ?? (app.router as unknown as Stack)).stack;

describe.each([
  ['4', express4],
  ['5', express5],
])('Express %s', (_, express) => {
  function watched(options: Parameters<typeof hangwatch>[0] = ON): Express {
    const app = express();
    const middleware = hangwatch(options);
    closers.push(() => middleware.close());
    app.use(middleware);
    return app;
  }

  async function get(app: Express, path: string, headers: Record<string, string> = {}) {
    const server: Server = createServer(app);
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    try {
      return await exchange('http', (server.address() as AddressInfo).port, { path, headers });
    } finally {
      server.close();
    }
  }

  /** Where hangwatch has the request, from inside a handler. */
  const tell: RequestHandler = (_req, res) => void res.json(tracker()?.current()?.route ?? null);
  const routeOf = async (app: Express, path: string) => JSON.parse((await get(app, path)).body) as unknown;

  const PATTERNS: readonly (readonly [path: string, pattern: string, build: (app: Express, router: Router) => void])[] =
    [
      ['/users/7', '/users/:id', (app) => app.get('/users/:id', tell)],
      ['/USERS/7', '/users/:id', (app) => app.get('/users/:id', tell)],
      ['/', '/', (app) => app.get('/', tell)],
      ['/a/1/b/2', '/a/:one/b/:two', (app, router) => app.use('/a/:one', router.get('/b/:two', tell))],
      ['/1/1', '/:one/:two', (app, router) => app.use('/:one', router.get('/:two', tell))],
      ['/a/1', '/a/:one', (app, router) => app.use('/a/:one', router.get('/', tell))],
      ['/a/%C3%A4/b', '/a/:one/b', (app, router) => app.use('/a/:one', router.get('/b', tell))],
      ['/x-7/b', '/x-:id/b', (app, router) => app.use('/x-:id', router.get('/b', tell))],
      ['/2/b', '/2/b', (app, router) => app.use(['/1', '/2'], router.get('/b', tell))],
      ['/p/b', '/p/b', (app, router) => app.use('/', express.Router().use('/p', router.get('/b', tell)))],
      ['/list/9', '/list/:one|/other/:two', (app) => app.get(['/list/:one', '/other/:two'], tell)],
      ['/n42', String(/^\/n(\d+)$/), (app) => app.get(/^\/n(\d+)$/, tell)],
      [
        '/me/x',
        '/me/x',
        (app, router) => {
          app.use('/:who', express.Router());
          app.use('/me', router.get('/x', tell));
        },
      ],
      [
        '/s/3/t/4',
        '/s/:three/t/:four',
        (app, router) => {
          const sub = express();
          sub.use('/t', router.get('/:four', tell));
          app.use('/s/:three', sub);
        },
      ],
    ];

  test.each(PATTERNS)('%s is %s', async (path, pattern, build) => {
    const app = watched();
    build(app, express.Router());
    expect(await routeOf(app, path)).toBe(pattern);
  });

  test('no parameter of a mount point shows, whatever is in it', async () => {
    const app = watched();
    app.use('/u/:mail', express.Router().get('/x', tell));
    for (const value of ['a%40b.example', 'a.b', 'x', 'u', '%2Fu%2F', "'"]) {
      expect(await routeOf(app, `/u/${value}/x`)).toBe('/u/:mail/x');
    }
  });

  test("the application's layers stay its own", async () => {
    const app = watched();
    const handler: RequestHandler = (_req, res) => void res.send('ok');
    app.use(function first(_req, _res, next) {
      next();
    });
    app.get('/', handler);
    const before = stackOf(app).map(({ handle, name }) => [handle, name]);
    await get(app, '/');
    await get(app, '/');
    expect(stackOf(app).map(({ handle, name }) => [handle, name])).toEqual(before);
    expect(stackOf(app).at(-1)?.route?.stack[0]?.handle).toBe(handler);
    expect(Object.keys(stackOf(app).at(-1) ?? {})).not.toContain('hangwatch');
  });

  test('a handle that somebody exchanges is the one that is called', async () => {
    const app = watched();
    app.get('/', (_req, res) => void res.send('first'));
    expect((await get(app, '/')).body).toBe('first');
    const layer = stackOf(app).at(-1)?.route?.stack[0] as { handle: RequestHandler };
    layer.handle = (_req, res) => void res.send('second');
    expect((await get(app, '/')).body).toBe('second');
  });

  test('requests that are ignored run as if it were not there', async () => {
    const app = watched({ ...ON, ignore: '/health' });
    app.get('/health', (_req, res) => void res.json(inFlight().length));
    expect((await get(app, '/health')).body).toBe('0');
  });

  test('layers are called with what Express calls them with', async () => {
    const app = watched();
    app.use(function (this: unknown, ...args: unknown[]) {
      (args[1] as { set(name: string, value: string): void }).set('x-facts', `${typeof this} ${args.length}`);
      (args[2] as () => void)();
    } as RequestHandler);
    app.get('/', (_req, res) => void res.send('ok'));
    expect((await get(app, '/')).headers).toContain('x-facts: undefined 3');
  });

  test('an error page in development differs in stack frames at most', async () => {
    const plain = express();
    const app = watched();
    for (const each of [plain, app]) {
      // Express logs nothing under this name, and shows what it shows in development.
      each.set('env', 'test');
      each.get('/', () => {
        throw new Error('shown');
      });
    }
    const [one, other] = [await get(app, '/'), await get(plain, '/')];
    const first = (body: string) => body.split('<br>')[0];
    expect([one.status, first(one.body)]).toEqual([other.status, first(other.body)]);
  });

  test('of an application and one mounted in it the outer one watches', async () => {
    const app = watched();
    const mounted = watched({ ...ON, timeout: 1_000 });
    mounted.get('/x', (_req, res) => void res.json([inFlight().length, tracker()?.current()?.route]));
    app.use('/m', mounted);
    expect(await routeOf(app, '/m/x')).toEqual([1, '/m/x']);
  });

  test('registered twice on one application, a request is entered once, and its layers are named', async () => {
    const app = watched();
    const second = hangwatch({ ...ON, timeout: 1_000 });
    closers.push(() => second.close());
    app.use(second);
    app.get('/twice/:id', (_req, res) => void res.json([inFlight().length, tracker()?.current()?.route]));
    expect(await routeOf(app, '/twice/1')).toEqual([1, '/twice/:id']);
  });

  test('after close requests are not watched any more', async () => {
    const app = express();
    const middleware = hangwatch(ON);
    app.use(middleware);
    app.get('/', (_req, res) => void res.json(inFlight().length));
    expect((await get(app, '/')).body).toBe('1');
    await middleware.close();
    await middleware.close();
    expect((await get(app, '/')).body).toBe('0');
  });

  test('requests are gone from the table when they are answered', async () => {
    const app = watched();
    app.get('/', tell);
    await get(app, '/');
    await untilInFlight((entries) => entries.length === 0);
  });
});

test('wrong options are refused at once', () => {
  expect(() => hangwatch({ timeout: 0 })).toThrow('options.timeout must be a positive number of milliseconds, got 0');
  expect(() => hangwatch.route({ timeout: -1 })).toThrow(
    'hangwatch.route(options).timeout must be a positive number of milliseconds, got -1',
  );
  expect(() => hangwatch.route(true as unknown as false)).toThrow(
    'hangwatch.route(options) must be false or an object',
  );
});

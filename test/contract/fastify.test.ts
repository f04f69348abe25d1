import { once } from 'node:events';
import { type AddressInfo, connect } from 'node:net';
import hangwatch from '@hangwatch/fastify';
import Fastify, { type FastifyInstance, type FastifyServerOptions } from 'fastify';
import { afterEach, describe, expect, test, vi } from 'vitest';
import { inFlight, tracker, untilInFlight } from './tracker-state.ts';

const apps: FastifyInstance[] = [];
const ON = { enabled: true, timeout: 30_000 };

afterEach(async () => {
  for (const app of apps.splice(0)) await app.close();
  expect(tracker()).toBeUndefined();
});

async function make(watched = true): Promise<FastifyInstance> {
  const app = Fastify({ forceCloseConnections: true });
  apps.push(app);
  if (watched) await app.register(hangwatch, ON);
  return app;
}

describe('options', () => {
  test('a wrong option is refused by register', async () => {
    const app = Fastify();
    await expect(async () => app.register(hangwatch, { timeout: 'abc' as unknown as number })).rejects.toThrow(
      'options.timeout must be a positive number of milliseconds, got "abc"',
    );
  });

  test("Fastify's own options of register are none of ours", async () => {
    const app = Fastify();
    apps.push(app);
    await app.register(hangwatch, { ...ON, prefix: '/x', logLevel: 'warn' });
    expect(tracker()).toBeDefined();
  });

  test.each([true, false])("a route's wrong options are refused when it is declared (enabled: %s)", async (enabled) => {
    const app = Fastify();
    apps.push(app);
    await app.register(hangwatch, { ...ON, enabled });
    const declare = (config: unknown) => () =>
      app.get('/export', { config: { hangwatch: config as false } }, () => 'ok');
    expect(declare({ timeout: 'abc' })).toThrow(
      'config.hangwatch of GET /export.timeout must be a positive number of milliseconds, got "abc"',
    );
    expect(declare({ timout: 1 })).toThrow('config.hangwatch of GET /export.timout is not an option of a route');
    expect(declare(true)).toThrow('config.hangwatch of GET /export must be false or an object, got true');
    expect(declare(null)).toThrow('config.hangwatch of GET /export must be false or an object, got null');
    expect(declare({ timeout: 5, maxDuration: false })).not.toThrow();
  });
});

describe("Fastify's own checks", () => {
  const HOOKS: readonly (readonly [name: unknown, hook: unknown])[] = [
    ['onRequest', null],
    ['onRequest', 'text'],
    [undefined, () => undefined],
    ['nowhere', () => undefined],
    ['onRequest', async (_a: unknown, _b: unknown, _c: unknown) => undefined],
    ['preHandler', async (_a: unknown, _b: unknown, _c: unknown) => undefined],
    ['onSend', async (_a: unknown, _b: unknown, _c: unknown, _d: unknown) => undefined],
    ['preParsing', async (_a: unknown, _b: unknown, _c: unknown, _d: unknown) => undefined],
    ['onRequestAbort', async (_a: unknown, _b: unknown) => undefined],
    ['onReady', async (_a: unknown) => undefined],
    ['onRequest', async (_a: unknown, _b: unknown) => undefined],
    ['onSend', (_a: unknown, _b: unknown, _c: unknown, done: () => void) => done()],
  ];

  async function outcome(watched: boolean, act: (app: FastifyInstance) => unknown): Promise<string> {
    const app = await make(watched);
    try {
      act(app);
      await app.ready();
      return 'accepted';
    } catch (error) {
      const { code, message } = error as { code?: string; message: string };
      return `${code}: ${message}`;
    }
  }

  test.each(HOOKS)('of addHook(%s, %s)', async (name, hook) => {
    const add = (app: FastifyInstance) => app.addHook(name as 'onRequest', hook as () => void);
    expect(await outcome(true, add)).toBe(await outcome(false, add));
  });

  test.each(HOOKS.filter(([name]) => typeof name === 'string'))('of a route with %s: %s', async (name, hook) => {
    for (const value of [hook, [hook]]) {
      const add = (app: FastifyInstance) =>
        app.route({ method: 'POST', url: '/', handler: () => 'ok', [name as string]: value });
      expect(await outcome(true, add)).toBe(await outcome(false, add));
    }
  });

  test('at least one of these is refused, and one is not', async () => {
    const add = (i: number) => (app: FastifyInstance) =>
      app.addHook(HOOKS[i]?.[0] as 'onRequest', HOOKS[i]?.[1] as () => void);
    expect(await outcome(true, add(4))).toMatch(/^FST_ERR_HOOK_INVALID_ASYNC_HANDLER/);
    expect(await outcome(true, add(10))).toBe('accepted');
  });
});

test('hooks and handlers keep this, arguments and name', async () => {
  const app = await make();
  const facts: unknown[] = [];
  app.addHook('preHandler', function named(...args) {
    facts.push(this === app, args.length);
    args[2]();
  });
  app.addHook('onRoute', (route) => {
    if (route.method === 'GET') facts.push((route.handler as () => void).name, route.handler.length);
  });
  app.get('/', { exposeHeadRoute: false }, function handler(_request, _reply) {
    facts.push(this === app);
    return 'ok';
  });
  expect((await app.inject('/')).body).toBe('ok');
  expect(facts).toEqual(['handler', 2, true, 3, true]);
});

test('a time-out that strikes first is said when the application listens', async () => {
  const app = Fastify({ connectionTimeout: 1_000 });
  apps.push(app);
  const problems: string[] = [];
  await app.register(hangwatch, { ...ON, onInternalError: ({ message }) => problems.push(message) });
  await app.ready();
  expect(problems).toEqual([]);
  await app.listen({ port: 0, host: '127.0.0.1' });
  expect(problems).toEqual([expect.stringContaining('server.timeout is 1000 ms')]);
});

test('injected requests are watched, and leave', async () => {
  const app = await make();
  let route: string | undefined;
  app.get('/things/:id', async () => {
    route = tracker()?.current()?.route;
    return 'ok';
  });
  expect((await app.inject('/things/7')).statusCode).toBe(200);
  expect(route).toBe('/things/:id');
  await untilInFlight((entries) => entries.length === 0);
});

test('routes and hooks declared before it are watched all the same', async () => {
  const app = Fastify();
  apps.push(app);
  let entry: [string | undefined, boolean] | undefined;
  app.get('/early/:id', async () => {
    entry = [tracker()?.current()?.route, inFlight().length === 1];
    return 'ok';
  });
  await app.register(hangwatch, ON);
  await app.inject('/early/1');
  expect(entry).toEqual(['/early/:id', true]);
});

test('registered twice, a request is entered once', async () => {
  const app = await make();
  await app.register(hangwatch, { ...ON, timeout: 1_000 });
  let count = 0;
  app.get('/', async () => {
    count = inFlight().length;
    return 'ok';
  });
  await app.inject('/');
  expect(count).toBe(1);
});

test('registered in a plugin, it watches that plugin only', async () => {
  const app = Fastify();
  apps.push(app);
  const watched: Record<string, boolean> = {};
  const note = (name: string) => async () => {
    watched[name] = tracker()?.current() !== undefined;
    return 'ok';
  };
  await app.register(async (child) => {
    await child.register(hangwatch, ON);
    child.get('/inside', note('inside'));
    await child.register(async (grandchild) => {
      grandchild.get('/deeper', note('deeper'));
    });
  });
  app.get('/outside', note('outside'));
  for (const path of ['/inside', '/deeper', '/outside']) await app.inject(path);
  expect(watched).toEqual({ inside: true, deeper: true, outside: false });
});

test('a request that waits for its body stands at body parsing', async () => {
  const app = await make();
  app.post('/orders/:id', async (request) => request.body);
  await app.listen({ port: 0, host: '127.0.0.1' });
  const socket = connect((app.server.address() as AddressInfo).port, '127.0.0.1');
  socket.write(
    'POST /orders/1 HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\nContent-Length: 20\r\n\r\n{"a":',
  );
  const [entry] = await untilInFlight((entries) => entries[0]?.site?.label === 'body parsing');
  expect(entry?.route).toBe('/orders/:id');
  socket.end('1,            "b":2}');
  socket.resume();
  await once(socket, 'close');
  await untilInFlight((entries) => entries.length === 0);
});

describe('every lifecycle hook is a phase', () => {
  /** An application whose hooks, each with a name of its own, note where the request stands. */
  async function noted(options: FastifyServerOptions = {}) {
    const app = Fastify({ forceCloseConnections: true, ...options });
    apps.push(app);
    await app.register(hangwatch, ON);
    const stood: (string | undefined)[] = [];
    // Some are called outside of the request's context: there is one request here.
    const note = () => stood.push(inFlight()[0]?.site?.label);
    app.addHook('onRequest', async function one() {
      note();
    });
    app.addHook('preParsing', async function two() {
      note();
    });
    app.addHook('preValidation', async function three() {
      note();
    });
    app.addHook('preHandler', async function four() {
      note();
    });
    app.addHook('preSerialization', async function five(_request, _reply, payload) {
      note();
      return payload;
    });
    app.addHook('onError', async function six() {
      note();
    });
    app.addHook('onSend', async function seven() {
      note();
    });
    app.addHook('onResponse', async function eight() {
      note();
    });
    app.addHook('onTimeout', async function nine() {
      note();
    });
    app.addHook('onRequestAbort', async function ten(_request) {
      note();
    });
    return { app, stood, note };
  }
  const BEFORE = ['onRequest one', 'preParsing two', 'preValidation three', 'preHandler four', 'handler answer'];

  async function connection(app: FastifyInstance) {
    await app.listen({ port: 0, host: '127.0.0.1' });
    const socket = connect((app.server.address() as AddressInfo).port, '127.0.0.1');
    socket.on('error', () => undefined);
    socket.write('GET / HTTP/1.1\r\nHost: x\r\n\r\n');
    return socket;
  }

  test('of a request that is answered', async () => {
    const { app, stood, note } = await noted();
    app.get('/', async function answer() {
      note();
      return { fine: true };
    });
    expect((await app.inject('/')).statusCode).toBe(200);
    await vi.waitFor(() =>
      expect(stood).toEqual([...BEFORE, 'preSerialization five', 'onSend seven', 'onResponse eight']),
    );
  });

  test('of one whose handler throws', async () => {
    const { app, stood, note } = await noted();
    app.get('/', async function answer() {
      note();
      throw new Error('no');
    });
    expect((await app.inject('/')).statusCode).toBe(500);
    await vi.waitFor(() => expect(stood).toEqual([...BEFORE, 'onError six', 'onSend seven', 'onResponse eight']));
  });

  test('of one that takes longer than the connection may', async () => {
    const { app, stood, note } = await noted({ connectionTimeout: 100 });
    app.get('/', async function answer() {
      note();
      await new Promise(() => undefined);
    });
    const socket = await connection(app);
    await vi.waitFor(() => expect(stood).toContain('onTimeout nine'), 10_000);
    expect(stood.slice(0, 5)).toEqual(BEFORE);
    socket.destroy();
  });

  test('of one whose client leaves', async () => {
    const { app, stood, note } = await noted();
    app.get('/', async function answer() {
      note();
      await new Promise(() => undefined);
    });
    const socket = await connection(app);
    await vi.waitFor(() => expect(stood).toEqual(BEFORE), 10_000);
    socket.destroy();
    // The connection is closed, and the request over, before Fastify calls that one.
    await vi.waitFor(() => expect(stood.slice(5)).toEqual([undefined]), 5_000);
  });
});

test('what is not found has a checkpoint and no route', async () => {
  const app = await make();
  let entry: [string | undefined, string | undefined] | undefined;
  app.setNotFoundHandler(async function nowhere(_request, reply) {
    const current = tracker()?.current();
    entry = [current?.route, current?.site?.label];
    return reply.code(404).send('no');
  });
  expect((await app.inject('/nothing')).statusCode).toBe(404);
  expect(entry).toEqual([undefined, 'notFoundHandler nowhere']);
});

test('twenty applications start, serve and stop', async () => {
  for (let i = 0; i < 20; i++) {
    const app = Fastify();
    await app.register(hangwatch, ON);
    app.get('/', async () => 'ok');
    await app.inject('/');
    await app.close();
    expect(tracker()).toBeUndefined();
  }
});

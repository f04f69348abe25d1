import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { ContractServer, type State } from './contract-server.ts';
import { begin, exchange, expectContinue, leaveHalfWay, type Sent, upgrade } from './exchange.ts';
import { FRAMEWORKS } from './frameworks.ts';

const BIG = Buffer.alloc(3_000_000, 'x');
const octets = { 'content-type': 'application/octet-stream' };

const EXCHANGES: readonly (readonly [what: string, sent: Sent])[] = [
  ['success', { path: '/ok' }],
  ['a query', { path: '/ok?a=1&b=2' }],
  ['JSON and cookies', { path: '/json' }],
  ['an error thrown', { path: '/throw' }],
  ['a rejected promise', { path: '/reject' }],
  ['a hook that refuses', { path: '/hook-throws' }],
  ['next called twice', { path: '/twice' }],
  ['next called twice, last in the chain', { path: '/next-twice' }],
  ['a stream', { path: '/stream' }],
  ['404', { path: '/missing/42' }],
  ['HEAD', { method: 'HEAD', path: '/ok' }],
  ['OPTIONS', { method: 'OPTIONS', path: '/ok' }],
  ['a method that is not there', { method: 'DELETE', path: '/ok' }],
  ['a big upload', { method: 'POST', path: '/upload', body: BIG, headers: octets }],
  ['a JSON body', { method: 'POST', path: '/body', body: '{"a":1}', headers: { 'content-type': 'application/json' } }],
  [
    'a broken JSON body',
    { method: 'POST', path: '/body', body: '{"a":', headers: { 'content-type': 'application/json' } },
  ],
  ['layers, routers and error handlers', { path: '/api/tenants/7/layers' }],
  ["the application's own AsyncLocalStorage", { path: '/als' }],
  ['a context lost on the way', { path: '/lost' }],
  ['a rejection that nobody handles', { path: '/unhandled' }],
  ['a promise that the application handles itself', { path: '/handled' }],
  ['a record left twice', { path: '/leave' }],
];

const idle = (state: State) => state.records.length === 0;

describe.each(FRAMEWORKS)('$name', ({ name, scheme, hangs, layers, routes, lost }) => {
  let on: ContractServer;
  let off: ContractServer;

  beforeAll(async () => {
    [on, off] = await Promise.all([ContractServer.start(name, true), ContractServer.start(name, false)]);
  });

  afterAll(async () => {
    await Promise.all([on?.kill(), off?.kill()]);
  });

  test.each(EXCHANGES)('the response is the same: %s', async (_, sent) => {
    const [watched, plain] = await Promise.all([exchange(scheme, on.port, sent), exchange(scheme, off.port, sent)]);
    expect(watched).toEqual(plain);
    const state = await on.until(idle);
    expect(state).toMatchObject({ enabled: true, inFlight: 0, taken: 0 });
  });

  test.skipIf(scheme === 'http2')('the response is the same: 100 Continue', async () => {
    if (scheme === 'http2') return;
    const [watched, plain] = await Promise.all([
      expectContinue(scheme, on.port, 'some body'),
      expectContinue(scheme, off.port, 'some body'),
    ]);
    expect(watched).toEqual(plain);
    expect(watched.body).toContain('"bytes":9');
  });

  test.skipIf(scheme === 'http2')('an upgraded connection is the same, and no request', async () => {
    if (scheme === 'http2') return;
    const [watched, plain] = await Promise.all([upgrade(scheme, on.port), upgrade(scheme, off.port)]);
    expect(watched).toBe(plain);
    expect(watched).toMatch(/101 Switching Protocols[\s\S]*hello$/);
    expect((await on.state()).records).toEqual([]);
  });

  test('rejections stay as handled or as unhandled as they were', async () => {
    const before = await Promise.all([on.state(), off.state()]);
    for (const server of [on, off]) {
      await exchange(scheme, server.port, { path: '/unhandled' });
      await exchange(scheme, server.port, { path: '/handled' });
    }
    const more = (i: number) => (state: State) => state.unhandled.length > (before[i]?.unhandled.length ?? 0);
    const after = await Promise.all([on.until(more(0)), off.until(more(1))]);
    const [watched, plain] = after.map(({ unhandled }, i) => unhandled.slice(before[i]?.unhandled.length));
    expect(watched).toEqual(plain);
    expect(watched).toEqual(['Error: nobody handles this']);
  });

  test('the response is the same: the client leaves half-way', async () => {
    const [watched, plain] = await Promise.all(
      [on, off].map(({ port }) => leaveHalfWay(scheme, port, { path: '/partial' })),
    );
    expect(watched).toEqual(plain);
    expect(watched?.body).not.toBe('');
    expect(await on.until(idle)).toMatchObject({ inFlight: 0, taken: 0 });
  });

  test('a client that leaves frees the slot', async () => {
    for (const path of ['/partial', ...hangs.map((hang) => hang.path), ...(routes ? [] : ['/hang'])]) {
      const pending = begin(scheme, on.port, { path });
      await on.until((state) => state.records.length === 1);
      pending.leave();
      expect(await on.until(idle)).toMatchObject({ inFlight: 0, taken: 0 });
    }
  });

  test.each([...hangs])('$path is $route', async ({ path, route, checkpoint }) => {
    const pending = begin(scheme, on.port, { path });
    const { records } = await on.until((state) => state.records[0]?.checkpoint === checkpoint);
    pending.leave();
    expect(records).toMatchObject([{ route, checkpoint, timeoutMs: 30_000, unwatched: false }]);
    expect(records[0]?.place?.file).toMatch(/scenarios\/contract\/apps\/.+\.mjs$/);
    expect(records[0]?.place?.line).toBeGreaterThan(1);
    // The chain of awaits is known to be the request's own, down to the handler that the checkpoint names.
    expect(records[0]?.own.flat()).toContain(checkpoint.split(' ').at(-1));
    await on.until(idle);
  });

  test.skipIf(routes)("a listener's awaits are the request's own", async () => {
    const pending = begin(scheme, on.port, { path: '/hang' });
    const { records } = await on.until((state) => state.records[0]?.checkpoint === 'hanging');
    pending.leave();
    expect(records[0]?.own.flat()).toContain('answer');
    await on.until(idle);
  });

  test.skipIf(!routes)('a route may have a timeout of its own, or not be watched', async () => {
    for (const [path, expected] of [
      ['/slow', { route: '/slow', timeoutMs: 120_000, unwatched: false }],
      ['/off', { route: '/off', timeoutMs: 30_000, unwatched: true }],
    ] as const) {
      const pending = begin(scheme, on.port, { path });
      const { records } = await on.until((state) => state.records[0]?.checkpoint?.startsWith('handler waits') === true);
      pending.leave();
      expect(records).toMatchObject([expected]);
      await on.until(idle);
    }
  });

  test.skipIf(layers.length === 0)('every layer finds itself named as the checkpoint', async () => {
    const { seen: before } = await on.state();
    await exchange(scheme, on.port, { path: '/api/tenants/7/layers' });
    const { seen } = await on.state();
    expect(seen.slice(before.length)).toEqual(layers);
  });

  test.skipIf(lost === undefined)('a context lost on the way is found again', async () => {
    await exchange(scheme, on.port, { path: '/lost' });
    const { seen } = await on.state();
    expect(seen.at(-1)).toEqual(['afterwards', lost]);
  });

  test('a hundred requests at once are apart, and all leave', async () => {
    const pending = Array.from({ length: 50 }, () => begin(scheme, on.port, { path: hangs[0]?.path ?? '/hang' }));
    await on.until((state) => state.records.length === 50);
    const answers = await Promise.all(Array.from({ length: 50 }, () => exchange(scheme, on.port, { path: '/als' })));
    for (const { body } of answers) expect(JSON.parse(body)).toEqual({ before: 'mine', after: 'mine', outside: null });
    for (const each of pending) each.leave();
    expect(await on.until(idle)).toMatchObject({ inFlight: 0, taken: 0 });
  });

  test('without hangwatch there is nothing of it', async () => {
    const { enabled, seen } = await off.state();
    expect(enabled).toBe(false);
    expect(seen.every(([, checkpoint]) => checkpoint === null)).toBe(true);
  });

  test('the process ends when its server has closed', async () => {
    const { result } = await on.close();
    expect(result).toMatchObject({ code: 0, signal: null, timedOut: false });
  });
});

describe.each(FRAMEWORKS)('$name under a test runner', ({ name, scheme, hangs }) => {
  test('hangwatch is inert', async () => {
    const server = await ContractServer.start(name, true, { VITEST: 'true' });
    const pending = begin(scheme, server.port, { path: hangs[0]?.path ?? '/hang' });
    await exchange(scheme, server.port, { path: '/ok' });
    expect(await server.state()).toMatchObject({ enabled: false, records: [], inFlight: 0 });
    pending.leave();
    await server.kill();
  });
});

import { EventEmitter } from 'node:events';
import { createServer, type RequestListener, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { watchServer } from '@hangwatch/core';
import { afterEach, expect, test } from 'vitest';
import { exchange } from './exchange.ts';
import { inFlight, tracker, untilInFlight } from './tracker-state.ts';

const ON = { enabled: true, timeout: 30_000 };
const servers: Server[] = [];

afterEach(async () => {
  for (const server of servers.splice(0)) await new Promise<void>((resolve) => server.close(() => resolve()));
  for (let left = 100; left > 0 && tracker() !== undefined; left--) await new Promise((r) => setTimeout(r, 10));
  expect(tracker()).toBeUndefined();
});

function make(listener?: RequestListener): Server {
  const server = createServer(listener);
  servers.push(server);
  return server;
}

async function get(server: Server, path = '/') {
  if (!server.listening) await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  return exchange('http', (server.address() as AddressInfo).port, { path });
}

test('what is no server, and what is watched already, is refused', async () => {
  expect(() => watchServer({} as Server, ON)).toThrow('watchServer(server) needs a node:http, https or http2 server');
  expect(() => watchServer(undefined as unknown as Server, ON)).toThrow('got undefined');
  const server = make((_req, res) => res.end());
  watchServer(server, ON);
  expect(() => watchServer(server, ON)).toThrow('watchServer(server): this server is watched already');
  await get(server);
});

test('when the server closes its emit is what it was, and it may be watched anew', async () => {
  const server = make((_req, res) => res.end(String(inFlight().length)));
  const watch = watchServer(server, ON);
  expect(Object.hasOwn(server, 'emit')).toBe(true);
  expect((await get(server)).body).toBe('1');
  await new Promise<void>((resolve) => server.close(() => resolve()));
  expect(Object.hasOwn(server, 'emit')).toBe(false);
  expect(watch.enabled).toBe(false);
  expect((await get(server)).body).toBe('0');
  watchServer(server, ON);
  expect((await get(server)).body).toBe('1');
});

test('a time-out that strikes first is said when the server listens, and by nobody who has ended', async () => {
  const server = make((_req, res) => res.end());
  server.timeout = 1_000;
  const problems: string[] = [];
  const before = [server.listenerCount('listening'), server.listenerCount('close')];
  const listen = () => new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  watchServer(server, { ...ON, onInternalError: ({ code, message }) => problems.push(`${code} ${message}`) });
  expect(problems).toEqual([]);
  await listen();
  expect(problems).toEqual([expect.stringMatching(/^HANGWATCH_ERR_TIMEOUT_ORDER server.timeout is 1000 ms/)]);
  await new Promise<void>((resolve) => server.close(() => resolve()));
  expect([server.listenerCount('listening'), server.listenerCount('close')]).toEqual(before);
  server.timeout = 2_000;
  await listen();
  expect(problems).toHaveLength(1);
});

test("somebody else's emit over ours stays, and works", async () => {
  const server = make((_req, res) => res.end('ok'));
  watchServer(server, ON);
  const { emit } = server;
  const events: string[] = [];
  const theirs = function (this: Server, ...args: Parameters<typeof emit>) {
    events.push(String(args[0]));
    return Reflect.apply(emit, this, args) as boolean;
  };
  server.emit = theirs as typeof emit;
  await get(server);
  await new Promise<void>((resolve) => server.close(() => resolve()));
  expect(server.emit).toBe(theirs);
  expect((await get(server)).body).toBe('ok');
  expect(events.filter((event) => event === 'request')).toHaveLength(2);
});

test('listeners are called as emit calls them', async () => {
  const server = make();
  const calls: string[] = [];
  server.once('request', function once(this: Server) {
    calls.push(`once ${this === server}`);
  });
  const removed = () => calls.push('removed');
  server.on('request', () => {
    calls.push('first');
    server.off('request', removed);
  });
  server.on('request', removed);
  server.on('request', (_req, res) => res.end('ok'));
  watchServer(server, ON);
  await get(server);
  await get(server);
  expect(calls).toEqual(['once true', 'first', 'removed', 'first']);
  expect(server.emit('nothing')).toBe(false);
});

test('with captureRejections Node catches what it caught', async () => {
  const { captureRejections } = EventEmitter;
  EventEmitter.captureRejections = true;
  try {
    const server = make();
    server.on('request', async () => {
      throw new Error('caught by Node');
    });
    watchServer(server, ON);
    // Node answers for a server that captures rejections: https://nodejs.org/api/events.html#capture-rejections-of-promises
    expect((await get(server)).status).toBe(500);
    await untilInFlight((entries) => entries.length === 0);
  } finally {
    EventEmitter.captureRejections = captureRejections;
  }
});

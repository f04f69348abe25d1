import { createServer } from 'node:net';
import { sampleDump } from '@hangwatch/protocol/sample';
import { describe, expect, test, vi } from 'vitest';
import { HangwatchCollectorError } from './collector-error.ts';
import { createCollector } from './create-collector.ts';
import { listeningUrl } from './listening-url.ts';
import type { DumpStore } from './store/dump-store.ts';
import { newDump } from './store/new-dump.ts';
import { openSqliteStore } from './store/sqlite/open-sqlite-store.ts';

const options = { port: 0, db: ':memory:' } as const;

test('listens once, has a URL then, and closes once', async () => {
  const collector = await createCollector(options);
  expect(() => collector.url).toThrow(expect.objectContaining({ code: 'HANGWATCH_ERR_NOT_LISTENING' }));
  const url = await collector.listen();
  expect(await collector.listen()).toBe(url);
  expect(collector.url).toBe(url);
  expect(await (await fetch(`${url}/healthz`)).json()).toEqual({ status: 'ok' });
  await Promise.all([collector.close(), collector.close()]);
  await expect(fetch(`${url}/healthz`)).rejects.toThrow();
});

test('closes without having listened', async () => {
  const collector = await createCollector(options);
  await collector.close();
  await expect(collector.store.check()).rejects.toThrow();
});

test('an address in use is said with its number', async () => {
  const other = createServer().listen(0, '127.0.0.1');
  await new Promise((resolve) => other.once('listening', resolve));
  const address = other.address();
  const port = typeof address === 'object' ? (address?.port ?? 0) : 0;
  const collector = await createCollector({ ...options, port });
  await expect(collector.listen()).rejects.toThrow(
    expect.objectContaining({
      code: 'HANGWATCH_ERR_LISTEN',
      message: expect.stringContaining(`127.0.0.1:${port}`),
      cause: expect.any(Error),
    }),
  );
  await collector.close();
  other.close();
});

test('a client in the middle of a request does not keep it open for ever', async () => {
  const collector = await createCollector({ ...options, requestTimeoutMs: 60_000 });
  await collector.listen();
  const { port } = new URL(collector.url);
  const { connect } = await import('node:net');
  const socket = connect(Number(port), '127.0.0.1');
  socket.on('error', () => socket.destroy());
  socket.write(
    'POST /v1/dumps HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\nContent-Length: 9\r\n\r\n{',
  );
  await fetch(`${collector.url}/healthz`);
  const began = performance.now();
  await collector.close();
  expect(performance.now() - began).toBeLessThan(8_000);
  socket.destroy();
});

describe('a store that fails', () => {
  const working = () => openSqliteStore(':memory:');

  test.each([
    ['HANGWATCH_ERR_STORE', 503],
    ['HANGWATCH_ERR_STORE_FULL', 507],
  ] as const)('%s: %d, and is told to onInternalError with its cause', async (code, status) => {
    const cause = new Error('the driver says no');
    const base = await working();
    const store: DumpStore = Object.assign(Object.create(base), {
      add: () => Promise.reject(new HangwatchCollectorError(code, 'the store failed', { cause })),
      list: base.list.bind(base),
      close: base.close.bind(base),
    });
    const onInternalError = vi.fn();
    const collector = await createCollector({
      ...options,
      store,
      onInternalError,
      retention: { maxAgeMs: Infinity, maxDumps: Infinity },
    });
    await collector.listen();
    const headers = { 'content-type': 'application/json' };
    const response = await fetch(`${collector.url}/v1/dumps`, {
      method: 'POST',
      headers,
      body: JSON.stringify(sampleDump()),
    });
    expect([response.status, response.headers.get('retry-after'), await response.json()]).toEqual([
      status,
      '5',
      { error: { code, message: 'the store failed' } },
    ]);
    expect(onInternalError).toHaveBeenCalledWith(cause);
    await collector.close();
  });

  test('makes healthz 503; what it says of itself stays inside', async () => {
    const base = await working();
    const onInternalError = vi.fn();
    const store: DumpStore = Object.assign(Object.create(base), {
      add: base.add.bind(base),
      list: () => Promise.reject(new TypeError('secret detail')),
      check: () => Promise.reject(new HangwatchCollectorError('HANGWATCH_ERR_STORE', 'the store failed')),
      latest: base.latest.bind(base),
      prune: base.prune.bind(base),
      close: base.close.bind(base),
    });
    const collector = await createCollector({ ...options, store, onInternalError });
    await collector.listen();
    expect((await fetch(`${collector.url}/healthz`)).status).toBe(503);
    const response = await fetch(`${collector.url}/v1/dumps`);
    expect([response.status, await response.json()]).toEqual([
      500,
      { error: { code: 'HANGWATCH_ERR_INTERNAL', message: 'internal error' } },
    ]);
    expect(onInternalError).toHaveBeenCalledWith(expect.objectContaining({ message: 'secret detail' }));
    await collector.close();
  });
});

test('retention deletes at start and from time to time', async () => {
  const store = await openSqliteStore(':memory:');
  const days = (n: number) => new Date(Date.now() - n * 86_400_000);
  await store.add([newDump(sampleDump({ id: 'old' }), days(3)), newDump(sampleDump({ id: 'new' }), days(1))]);
  const collector = await createCollector({
    port: 0,
    store,
    retention: { maxAgeMs: 2 * 86_400_000, maxDumps: 2, intervalMs: 20 },
  });
  await collector.listen();
  await expect.poll(() => store.find('old')).toBeUndefined();
  await store.add([
    newDump(sampleDump({ id: 'newer' }), new Date()),
    newDump(sampleDump({ id: 'newest' }), new Date()),
  ]);
  await expect.poll(() => store.find('new')).toBeUndefined();
  expect(await store.list({ limit: 10 })).toHaveLength(2);
  await collector.close();
});

test.each([
  [{ address: '0.0.0.0', family: 'IPv4', port: 1 }, '0.0.0.0', 'http://127.0.0.1:1'],
  [{ address: '::', family: 'IPv6', port: 1 }, '::', 'http://[::1]:1'],
  [{ address: '::1', family: 'IPv6', port: 2 }, '::1', 'http://[::1]:2'],
  [{ address: '127.0.0.1', family: 'IPv4', port: 3 }, 'localhost', 'http://localhost:3'],
])('the URL of %j', (address, host, url) => {
  expect(listeningUrl(address, host)).toBe(url);
});

import { createServer, get, type RequestListener } from 'node:http';
import type { AddressInfo } from 'node:net';
import { performance } from 'node:perf_hooks';
import { checkpoint, type HangwatchOptions, watchServer } from '@hangwatch/core';
import { CollectorStub } from '@hangwatch/test-utils';
import { expect, test, vi } from 'vitest';

/** A watched server that answers one request with what the test does in it. */
async function inRequest(listener: RequestListener, options: HangwatchOptions, until: () => Promise<unknown>) {
  const server = createServer(listener);
  watchServer(server, { enabled: true, ...options });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const { port } = server.address() as AddressInfo;
  const request = get({ host: '127.0.0.1', port, path: '/graphql', agent: false }, (response) => response.resume());
  request.on('error', () => undefined);
  try {
    await until();
  } finally {
    request.destroy();
    server.closeAllConnections();
    await new Promise((resolve) => server.close(resolve));
  }
}

test('a checkpoint, and an await that begins, read no clock and set no timer', async () => {
  const collector = await CollectorStub.start();
  let calls: Record<string, number> | undefined;
  const pending = new Promise<void>(() => undefined);
  const waits = async () => {
    await pending;
  };
  const listener: RequestListener = (_request, response) => {
    // The first one looks up where it is.
    for (const _ of [1, 2]) checkpoint('passed');
    const spies = {
      dateNow: vi.spyOn(Date, 'now'),
      performanceNow: vi.spyOn(performance, 'now'),
      hrtime: vi.spyOn(process, 'hrtime'),
      bigint: vi.spyOn(process.hrtime, 'bigint'),
      setTimeout: vi.spyOn(globalThis, 'setTimeout'),
      setInterval: vi.spyOn(globalThis, 'setInterval'),
      setImmediate: vi.spyOn(globalThis, 'setImmediate'),
    };
    for (let i = 0; i < 1_000; i++) {
      checkpoint('passed');
      void waits();
    }
    calls = Object.fromEntries(Object.entries(spies).map(([name, spy]) => [name, spy.mock.calls.length]));
    for (const spy of Object.values(spies)) spy.mockRestore();
    response.end();
  };
  await inRequest(listener, { collector: collector.url }, () => vi.waitFor(() => expect(calls).toBeDefined()));
  await collector.close();
  expect(calls).toEqual({
    dateNow: 0,
    performanceNow: 0,
    hrtime: 0,
    bigint: 0,
    setTimeout: 0,
    setInterval: 0,
    setImmediate: 0,
  });
});

test('what routeName calls a request is what its report calls it', async () => {
  const collector = await CollectorStub.start();
  const options = { collector: collector.url, timeout: 300, routeName: () => 'query Orders' };
  await inRequest(
    () => undefined,
    options,
    async () => {
      const { requests } = await collector.next(({ kind }) => kind === 'hang');
      expect(requests.map(({ method, route }) => `${method} ${route}`)).toEqual(['GET query Orders']);
    },
  );
  await collector.close();
});

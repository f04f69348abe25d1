import { AsyncLocalStorage } from 'node:async_hooks';
import { once } from 'node:events';
import { Agent, createServer, get, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { afterEach, beforeEach, expect, test } from 'vitest';
import type { RequestRecord } from '../request-record.ts';
import { QueuedRequests } from './queued-requests.ts';
import { testingRecord } from './testing-record.ts';

let server: Server;
beforeEach(async () => {
  server = createServer(() => undefined).listen(0, '127.0.0.1');
  await once(server, 'listening');
});
afterEach(() => {
  server.closeAllConnections();
  server.close();
});

test('requests in the queue of an agent that is known are found, in their callers’ contexts', async () => {
  const contexts = new AsyncLocalStorage<RequestRecord>();
  const agent = new Agent({ maxSockets: 1 });
  const { port } = server.address() as AddressInfo;
  const options = { agent, port, host: '127.0.0.1', path: '/users/4711?secret' };
  const [first, second] = [testingRecord(1), testingRecord(2)];
  const requests = [first, second].map((record) =>
    contexts.run(record, () => get(options).on('error', () => undefined)),
  );
  const queued = new QueuedRequests();
  expect(queued.find(() => contexts.getStore())).toEqual([]);
  for (const each of [agent, agent, undefined, false, {}]) queued.seen(each);
  expect(queued.find(() => contexts.getStore())).toEqual([
    {
      record: second,
      type: 'http',
      label: `GET http://127.0.0.1:${port}/users/*, waiting for a socket of the agent (1 of 1 in use)`,
    },
  ]);
  for (const request of requests) request.destroy();
});

import { AsyncLocalStorage } from 'node:async_hooks';
import { once } from 'node:events';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { Agent, Pool } from 'undici';
import { afterEach, beforeEach, expect, test } from 'vitest';
import type { RequestRecord } from '../request-record.ts';
import { ChannelSubscriptions } from './channel-subscriptions.ts';
import { testingRecord } from './testing-record.ts';
import { UndiciPools } from './undici-pools.ts';

let server: Server;
let origin: string;
const contexts = new AsyncLocalStorage<RequestRecord>();
const pools = new UndiciPools();
const subscriptions = new ChannelSubscriptions();

beforeEach(async () => {
  server = createServer(() => undefined).listen(0, '127.0.0.1');
  await once(server, 'listening');
  origin = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  subscriptions.on<{ socket: object }>('undici:client:sendHeaders', ({ socket }) => pools.seen(socket));
});
afterEach(() => {
  subscriptions.stop();
  server.closeAllConnections();
  server.close();
});

test.each([
  ['a pool', () => new Pool(origin, { connections: 2 })],
  ['an agent', () => new Agent({ connections: 2 })],
])('calls in the queue of %s are found, in their callers’ contexts', async (_, make) => {
  const dispatcher = make();
  const records = [1, 2, 3, 4].map((id) => testingRecord(id));
  for (const record of records) {
    contexts.run(record, () => {
      const path = `/items/${record.id}000?secret`;
      dispatcher.request({ origin, path, method: 'GET' }).catch(() => undefined);
    });
  }
  await once(server, 'request');
  const stage = 'waiting for a connection of the undici pool (2 of 2 in use)';
  const label = `GET ${origin}/items/*, ${stage}`;
  const queued = () => pools.find(() => contexts.getStore());
  expect(queued()).toEqual(records.slice(2).map((record) => ({ record, type: 'http', label })));
  expect(queued()).toHaveLength(2);
  await dispatcher.destroy();
  expect(queued()).toEqual([]);
});

test('what is no connection of undici’s leads nowhere', () => {
  for (const socket of [{}, Object.assign(new Map(), { [Symbol('client')]: 7 })]) pools.seen(socket);
  expect(pools.find(() => undefined)).toEqual([]);
});

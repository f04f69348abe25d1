import { AsyncResource } from 'node:async_hooks';
import diagnosticsChannel from 'node:diagnostics_channel';
import { Socket } from 'node:net';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { kOutbound } from '../../shared/slot-layout.ts';
import type { RequestRecord } from '../request-record.ts';
import { OutboundSources, outboundWaits } from './outbound-sources.ts';
import { OutboundWait } from './outbound-wait.ts';
import { testingRecord } from './testing-record.ts';

let record: RequestRecord;
let current: RequestRecord | undefined;
let sources: OutboundSources;

beforeEach(() => {
  record = testingRecord();
  current = record;
  sources = new OutboundSources(() => current);
});
afterEach(() => sources.stop());

const publish = (channel: string, message: unknown) => diagnosticsChannel.channel(channel).publish(message);
const labels = (one = record) => OutboundWait.of(one, 0).map(({ type, label }) => `${type}: ${label}`);

describe('database clients', () => {
  const server = { serverAddress: 'db.internal', serverPort: 3306 };
  const sql = "select * from users where email = 'secret'";
  test.each<[string, object, string]>([
    [
      'mysql2:query',
      { query: sql, values: ['secret'], ...server },
      'database: SELECT users at db.internal:3306, no answer',
    ],
    ['mysql2:execute', { query: sql, ...server }, 'database: SELECT users at db.internal:3306, no answer'],
    ['mysql2:connect', { user: 'secret', ...server }, 'database: database connection at db.internal:3306, not ready'],
    ['mysql2:pool:connect', server, 'pool: a connection of the database pool at db.internal:3306'],
    ['mssql:query', { command: sql, parameters: ['secret'] }, 'database: SELECT users, no answer'],
    ['mssql:execute', { procedure: 'dbo.close_month' }, 'database: EXECUTE dbo.close_month, no answer'],
    ['mssql:execute', { procedure: "x'; secret" }, 'database: EXECUTE (not known), no answer'],
    ['mssql:bulk', { table: 'orders' }, 'database: BULK INSERT INTO orders, no answer'],
    [
      'mssql:connect',
      { server: 'db.internal', port: 1433 },
      'database: database connection at db.internal:1433, not ready',
    ],
    ['mssql:pool:acquire', { poolId: 1 }, 'pool: a connection of the database pool'],
    [
      'ioredis:command',
      { command: 'get', args: ['secret'], ...server },
      'redis: redis GET at db.internal:3306, no reply',
    ],
    ['ioredis:batch', { batchSize: 3 }, 'redis: redis pipeline of 3 commands, no reply'],
    ['node-redis:command', { command: 'HGETALL', args: ['HGETALL', 'secret'] }, 'redis: redis HGETALL, no reply'],
    [
      'node-redis:connect',
      { serverAddress: '/run/redis.sock' },
      'redis: redis connection at /run/redis.sock, not ready',
    ],
  ])('%s %o', (channel, context, label) => {
    publish(`tracing:${channel}:start`, context);
    expect(labels()).toEqual([label]);
    publish(`tracing:${channel}:asyncStart`, context);
    expect(labels()).toEqual([]);
    expect(record.cells[kOutbound]).toBe(1);
    publish(`tracing:${channel}:start`, { ...context });
    publish(`tracing:${channel}:start`, context);
    publish(`tracing:${channel}:error`, context);
    expect(labels()).toHaveLength(1);
  });
});

test('module imports, without queries and code', () => {
  for (const url of [
    './feature.mjs?secret',
    'pkg/sub',
    'data:text/javascript,secret',
    'https://u:secret@x.test/a?secret',
  ]) {
    publish('tracing:module.import:start', { parentURL: 'file:///app/main.mjs', url });
  }
  expect(labels()).toEqual([
    'import: import ./feature.mjs',
    'import: import pkg/sub',
    'import: import data:…',
    'import: import https://x.test/a',
  ]);
});

describe('undici', () => {
  const handler = Symbol('handler');
  class Request {
    method = 'GET';
    origin = 'http://user:secret@127.0.0.1:9';
    path: string;
    completed = false;
    [handler]: unknown;
    constructor(path: string, told: unknown = {}) {
      this.path = path;
      this[handler] = told;
    }
  }

  test('stage by stage', () => {
    const request = new Request('/users/4711?secret');
    const connectParams = { protocol: 'http:', host: '127.0.0.1:9', hostname: '127.0.0.1', port: '9' };
    const socket = { bytesRead: 500 };
    publish('undici:request:create', { request });
    const url = 'http: GET http://127.0.0.1:9/users/*';
    expect(labels()).toEqual([`${url}, waiting for a connection`]);
    publish('undici:client:beforeConnect', { connectParams });
    expect(labels()).toEqual([`${url}, waiting for a connection; one to 127.0.0.1:9 is being opened`]);
    publish('undici:client:connected', { connectParams: { ...connectParams } });
    expect(labels()).toEqual([`${url}, waiting for a connection`]);
    publish('undici:client:sendHeaders', { request, socket });
    expect(labels()).toEqual([`${url}, sent, no response headers`]);
    socket.bytesRead = 620;
    publish('undici:request:headers', { request });
    expect(labels()).toEqual([`${url}, response headers, no end of the response body (120 bytes so far)`]);
    expect(record.cells[kOutbound]).toBe(1);
    publish('undici:request:trailers', { request });
    expect(labels()).toEqual([]);
    expect(record.cells[kOutbound]).toBe(2);
  });

  test('a call that waited in a pool is its caller’s, in whoever’s context it is sent', () => {
    const caller = testingRecord(2);
    current = caller;
    const told = new AsyncResource('UNDICI_REQUEST');
    // What the context is inside the resource is asked, not what it is outside.
    told.runInAsyncScope = (fn, thisArg, ...args) => {
      current = caller;
      try {
        return Reflect.apply(fn, thisArg, args);
      } finally {
        current = record;
      }
    };
    current = record;
    publish('undici:request:create', { request: new Request('/queued', told) });
    expect(labels()).toEqual([]);
    expect(labels(caller)).toEqual(['http: GET http://127.0.0.1:9/queued, waiting for a connection']);
  });

  test('one that a pool sends when it drains, with no word of its caller, is nobody’s', () => {
    publish('undici:client:beforeConnect', {
      connectParams: { protocol: 'http:', host: 'x', hostname: 'x', port: '' },
    });
    function emitDrain(request: Request): void {
      publish('undici:request:create', { request });
    }
    emitDrain(new Request('/of-another'));
    expect(labels()).toEqual([]);
    publish('undici:request:create', { request: new Request('/own') });
    expect(labels()).toHaveLength(1);
  });
});

test('of several addresses of a host the one that was tried last is named', () => {
  const socket = Object.assign(new Socket(), { connecting: true });
  publish('net.client.socket', { socket });
  socket.emit('connectionAttempt', '127.0.0.3', 5432, 4);
  expect(labels()).toEqual(['connect: connect 127.0.0.3:5432, no answer']);
  socket.emit('connectionAttempt', '127.0.0.2', 5432, 4);
  expect(labels()).toEqual(['connect: connect 127.0.0.2:5432, no answer']);
  socket.destroy();
});

test('of very many finds of one request as many are shown as of what was heard of', () => {
  const finds = Array.from({ length: 5_000 }, (_, i) => ({ record, type: 'fs' as const, label: `file ${i}` }));
  expect(outboundWaits(record, [], new Map([[record, finds]]), 0)).toHaveLength(100);
});

test('outside a request nothing is noted', () => {
  current = undefined;
  publish('tracing:mysql2:query:start', { query: 'select 1' });
  publish('child_process', { process: {} });
  expect(record.outbound).toBeUndefined();
});

test('nothing that a channel may publish throws into the application', async () => {
  const thrown: unknown[] = [];
  const catchIt = (error: unknown) => thrown.push(error);
  process.on('uncaughtException', catchIt);
  const hostile = new Proxy({}, { get: () => expect.unreachable('a getter that throws') });
  for (const channel of SUBSCRIBED) {
    for (const message of [undefined, null, 7, {}, hostile, { request: null, socket: 1, process: null, worker: 'x' }]) {
      publish(channel, message);
    }
  }
  await new Promise((resolve) => setTimeout(resolve, 5));
  process.off('uncaughtException', catchIt);
  expect(thrown).toEqual([]);
  expect(labels().every((label) => !label.includes('undefined'))).toBe(true);
});

const SUBSCRIBED = [
  ...['create', 'headers', 'trailers', 'error'].map((name) => `undici:request:${name}`),
  ...['sendHeaders', 'beforeConnect', 'connected', 'connectError'].map((name) => `undici:client:${name}`),
  ...['request.created', 'request.start', 'request.error', 'response.finish'].map((name) => `http.client.${name}`),
  ...['created', 'finish', 'close'].map((name) => `http2.client.stream.${name}`),
  'net.client.socket',
  'child_process',
  'worker_threads',
  ...['start', 'asyncStart', 'error'].flatMap((event) =>
    ['module.import', 'mysql2:query', 'mssql:bulk', 'ioredis:command'].map((name) => `tracing:${name}:${event}`),
  ),
];

test('what has been stopped hears nothing', () => {
  sources.stop();
  expect(SUBSCRIBED.filter((channel) => diagnosticsChannel.hasSubscribers(channel))).toEqual([]);
});

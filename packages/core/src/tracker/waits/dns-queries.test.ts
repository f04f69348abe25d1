import { createSocket, type Socket } from 'node:dgram';
import dns from 'node:dns';
import { resolve4 } from 'node:dns/promises';
import { once } from 'node:events';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { kOutbound } from '../../shared/slot-layout.ts';
import type { RequestRecord } from '../request-record.ts';
import { watchDnsQueries } from './dns-queries.ts';
import { OutboundWait } from './outbound-wait.ts';
import { testingRecord } from './testing-record.ts';

let record: RequestRecord;
let current: RequestRecord | undefined;
let undo: () => void;
let server: Socket;
let servers: string[];

beforeEach(async () => {
  record = testingRecord();
  current = record;
  undo = watchDnsQueries(() => current);
  server = createSocket('udp4');
  server.bind(0, '127.0.0.1');
  await once(server, 'listening');
  servers = [`127.0.0.1:${server.address().port}`];
});
afterEach(() => {
  undo();
  server.close();
});

/** Answers every query that there is no such name. */
const answer = () =>
  server.on('message', (query, from) => {
    const response = Buffer.from(query);
    response.writeUInt16BE(0x8183, 2);
    server.send(response, from.port, from.address);
  });
const labels = () => OutboundWait.of(record, 0).map(({ label }) => label);

test('a promised query is waited for until it settles, and nothing is chained to its promise', async () => {
  const resolver = new dns.promises.Resolver();
  resolver.setServers(servers);
  const asked = resolver.resolve4('example.test');
  expect(labels()).toEqual(['DNS lookup of example.test']);
  answer();
  await expect(asked).rejects.toMatchObject({ code: 'ENOTFOUND', hostname: 'example.test' });
  expect(labels()).toEqual([]);
  OutboundWait.sweep(record);
  expect(record.cells[kOutbound]).toBe(1);
});

test('so is one with a callback, which gets what it would have got', async () => {
  const resolver = new dns.Resolver();
  resolver.setServers(servers);
  const called = new Promise<unknown[]>((resolve) => {
    const request: unknown = resolver.resolveMx('example.test', function (this: unknown, ...args: unknown[]) {
      resolve([this === request, args]);
    });
  });
  expect(labels()).toEqual(['DNS lookup of example.test']);
  answer();
  const [isRequest, [error]] = (await called) as [boolean, [NodeJS.ErrnoException]];
  expect([isRequest, error.code]).toEqual([true, 'ENOTFOUND']);
  expect(labels()).toEqual([]);
  expect(record.cells[kOutbound]).toBe(1);
});

test('names, lengths, properties and exceptions are those of the originals', () => {
  undo();
  const targets = [dns, dns.promises, dns.Resolver.prototype, dns.promises.Resolver.prototype];
  const look = () =>
    targets.flatMap((target) =>
      Object.entries(Object.getOwnPropertyDescriptors(target)).map(([name, { value, ...rest }]) => [
        name,
        typeof value === 'function' ? [value.name, value.length, Object.getOwnPropertyNames(value)] : '',
        rest,
      ]),
    );
  const before = look();
  undo = watchDnsQueries(() => current);
  expect(look()).toEqual(before);
  const wrong = undefined as unknown as string;
  expect(() => dns.resolve4(wrong, () => undefined)).toThrow(expect.objectContaining({ code: 'ERR_INVALID_ARG_TYPE' }));
  expect(() => dns.resolve4('x', wrong as never)).toThrow(expect.objectContaining({ code: 'ERR_INVALID_ARG_TYPE' }));
  expect(() => dns.promises.resolve4(wrong)).toThrow(expect.objectContaining({ code: 'ERR_INVALID_ARG_TYPE' }));
  expect(labels()).toEqual([]);
});

test('the functions are put back, but for those that somebody has replaced since', () => {
  const own = () => undefined;
  const original = dns.resolveTxt;
  undo();
  const native = dns.resolve4;
  expect(resolve4).toBe(dns.promises.resolve4);
  undo = watchDnsQueries(() => current);
  expect(dns.resolve4).not.toBe(native);
  Reflect.set(dns, 'resolveTxt', own);
  undo();
  expect(dns.resolve4).toBe(native);
  expect(dns.resolveTxt).toBe(own);
  Reflect.set(dns, 'resolveTxt', original);
});

test('outside a request a query is passed on as it is', () => {
  current = undefined;
  const resolver = new dns.promises.Resolver();
  resolver.setServers(servers);
  resolver.resolve4('example.test').catch(() => undefined);
  expect(labels()).toEqual([]);
  resolver.cancel();
});

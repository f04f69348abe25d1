import { describe, expect, test } from 'vitest';
import type { CollectorOptions } from './collector-options.ts';
import { isLoopback, resolveOptions } from './resolve-options.ts';

test('defaults', () => {
  const options = resolveOptions();
  expect(options).toMatchObject({
    host: '127.0.0.1',
    port: 4747,
    db: 'hangwatch.db',
    token: undefined,
    store: undefined,
    allowedHosts: [],
    limits: { bodyBytes: 10_485_760, decompressedBytes: 52_428_800, dumpsPerRequest: 10_000 },
    retention: { maxAgeMs: 7_776_000_000, maxDumps: 100_000, intervalMs: 60_000 },
    requestTimeoutMs: 30_000,
  });
  expect(Object.isFrozen(options)).toBe(true);
});

test('what is given is taken; undefined is not given', () => {
  const retention = { maxAgeMs: Number.POSITIVE_INFINITY, maxDumps: 5, intervalMs: undefined };
  expect(resolveOptions({ port: 0, db: ':memory:', token: undefined, retention })).toMatchObject({
    port: 0,
    retention: { maxAgeMs: Number.POSITIVE_INFINITY, maxDumps: 5, intervalMs: 60_000 },
  });
});

describe('refused', () => {
  test.each<[unknown, string]>([
    ['x', 'options must be an object, got "x"'],
    [{ prot: 1 }, 'options.prot is not an option'],
    [{ host: '' }, 'options.host must be a host name or an IP address, got ""'],
    [{ port: '4747' }, 'options.port must be a whole number from 0 to 65535, got "4747"'],
    [{ port: 65_536 }, 'options.port must be a whole number from 0 to 65535, got 65536'],
    [{ db: 7 }, "options.db must be the path of a file, or ':memory:', got 7"],
    [{ store: {} }, 'options.store must be a DumpStore, got an object'],
    [
      { token: 'short' },
      'options.token must be a string of 8 or more printable ASCII characters without spaces, got a string of 5',
    ],
    [
      { token: 'with a space' },
      'options.token must be a string of 8 or more printable ASCII characters without spaces, got a string of 12',
    ],
    [{ allowedHosts: 'a' }, 'options.allowedHosts must be a list of host names, got "a"'],
    [
      { limits: { bodyBytes: 0 } },
      'options.limits.bodyBytes must be a whole number of bytes from 1 to 536870888, got 0',
    ],
    [
      { limits: { decompressedBytes: 1e9 } },
      'options.limits.decompressedBytes must be a whole number of bytes from 1 to 536870888, got 1000000000',
    ],
    [
      { limits: { dumpsPerRequest: 1.5 } },
      'options.limits.dumpsPerRequest must be a whole number from 1 to 1000000, got 1.5',
    ],
    [
      { retention: { maxAgeMs: -1 } },
      'options.retention.maxAgeMs must be a positive number of milliseconds, or Infinity, got -1',
    ],
    [
      { retention: { maxDumps: Number.NaN } },
      'options.retention.maxDumps must be a positive number of dumps, or Infinity, got NaN',
    ],
    [
      { retention: { intervalMs: 2 ** 31 } },
      'options.retention.intervalMs must be a whole number of milliseconds from 1 to 2147483647, got 2147483648',
    ],
    [
      { requestTimeoutMs: 0 },
      'options.requestTimeoutMs must be a whole number of milliseconds from 1 to 2147483647, got 0',
    ],
    [{ onInternalError: true }, 'options.onInternalError must be a function, got true'],
  ])('%j', (options, message) => {
    expect(() => resolveOptions(options as CollectorOptions)).toThrow(
      expect.objectContaining({ code: 'HANGWATCH_ERR_OPTION', message }),
    );
  });

  test('an address that others can reach, without a token', () => {
    expect(() => resolveOptions({ host: '0.0.0.0' })).toThrow(
      expect.objectContaining({
        code: 'HANGWATCH_ERR_INSECURE_HOST',
        message:
          'options.host "0.0.0.0" can be reached from other machines: set options.token (HANGWATCH_TOKEN), or listen on 127.0.0.1',
      }),
    );
    expect(resolveOptions({ host: '0.0.0.0', token: 'long-enough' }).host).toBe('0.0.0.0');
  });
});

test.each([
  ['127.0.0.1', true],
  ['127.8.8.8', true],
  ['::1', true],
  ['localhost', true],
  ['0.0.0.0', false],
  ['::', false],
  ['10.0.0.1', false],
  ['127.0.0.1.example.com', false],
  ['localhost.example.com', false],
])('%s is loopback: %s', (host, loopback) => {
  expect(isLoopback(host)).toBe(loopback);
});

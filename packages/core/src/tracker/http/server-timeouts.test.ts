import { createServer } from 'node:http';
import { describe, expect, test } from 'vitest';
import { timeoutsOf, wrongOrder } from './server-timeouts.ts';

describe('the time-outs of a server', () => {
  test('that end requests in flight are known, 0 is none', () => {
    expect(timeoutsOf(createServer())).toEqual([{ name: 'server.requestTimeout', ms: 300_000 }]);
    const server = createServer({ requestTimeout: 0 });
    server.timeout = 5_000;
    server.headersTimeout = 1;
    server.keepAliveTimeout = 1;
    expect(timeoutsOf(server)).toEqual([{ name: 'server.timeout', ms: 5_000 }]);
    expect(timeoutsOf(undefined)).toEqual([]);
  });

  test.each([
    [10_000, 1_000, 5_000, 4_000],
    [10_000, 1_000, 10_000, 8_000],
    // The scan that finds it comes up to one and a quarter intervals later.
    [10_000, 1_000, 11_250, 9_000],
  ])('a timeout of %i ms, scanned every %i, is too long for one of %i', (timeoutMs, scanMs, otherMs, better) => {
    expect(wrongOrder({ name: 'server.timeout', ms: otherMs }, timeoutMs, scanMs)).toBe(
      `server.timeout is ${otherMs} ms and ends requests before hangwatch can report them as stuck (timeout ${timeoutMs} ms): ` +
        `set hangwatch's timeout to ${better} or less, or server.timeout to more than ${timeoutMs + 1.25 * scanMs}`,
    );
    expect(wrongOrder({ name: 'x', ms: better * 2 }, better, Math.min(1_000, better / 10))).toBeUndefined();
  });

  test('one that strikes later is in order', () => {
    expect(wrongOrder({ name: 'x', ms: 11_251 }, 10_000, 1_000)).toBeUndefined();
    expect(wrongOrder({ name: 'x', ms: 300_000 }, 10_000, 1_000)).toBeUndefined();
  });
});

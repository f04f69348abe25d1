import { afterEach, beforeEach, expect, test, vi } from 'vitest';
import type { Closing } from '../../shared/worker-protocol.ts';
import { Shutdown } from './shutdown.ts';

const application = { name: 'application' };
const server = { name: 'server' };
let told: Closing[];
const start = (timeoutMs: number) => new Shutdown(timeoutMs, (closing) => told.push(closing));

beforeEach(() => {
  told = [];
  vi.useFakeTimers();
});
afterEach(() => {
  vi.useRealTimers();
});

test('what takes too long is told once, by the name of what began it', () => {
  const shutdown = start(1_000);
  shutdown.begin('app.close()', application);
  vi.advanceTimersByTime(600);
  shutdown.begin('server.close()', server);
  vi.advanceTimersByTime(399);
  expect(told).toEqual([]);
  vi.advanceTimersByTime(60_000);
  expect(told).toMatchObject([{ what: 'app.close()', sinceMs: 1_000 }]);
});

test('a server that has closed ends only what it has begun itself', () => {
  const shutdown = start(1_000);
  shutdown.begin('app.close()', application);
  shutdown.end(server);
  vi.advanceTimersByTime(1_000);
  expect(told).toHaveLength(1);
  shutdown.end(application);
  shutdown.begin('server.close()', server);
  shutdown.end(server);
  vi.advanceTimersByTime(1_000);
  expect(told).toHaveLength(1);
  shutdown.begin('server.close()', server);
  shutdown.over();
  vi.advanceTimersByTime(1_000);
  expect(told).toHaveLength(1);
  expect(vi.getTimerCount()).toBe(0);
});

test('switched off there is no timer', () => {
  start(0).begin('app.close()', application);
  expect(vi.getTimerCount()).toBe(0);
});

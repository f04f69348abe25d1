import { expect, test } from 'vitest';
import { LoopDelay } from './loop-delay.ts';

test('the p99 is that of the last messages, and utilization a share', () => {
  const loop = new LoopDelay();
  const nowMs = performance.timeOrigin + performance.now();
  expect(loop.read().delayP99Ms).toBe(0);
  for (let i = 0; i < 99; i++) loop.received(nowMs + 1_000);
  expect(loop.read().delayP99Ms).toBe(0);
  for (let i = 0; i < 2; i++) loop.received(nowMs - 5_000);
  const { delayP99Ms, utilization } = loop.read();
  expect(delayP99Ms).toBeGreaterThanOrEqual(5_000);
  expect(utilization).toBeGreaterThanOrEqual(0);
  expect(utilization).toBeLessThanOrEqual(1);
});

test('messages that waited for the same turn of the loop tell of one delay', async () => {
  const loop = new LoopDelay();
  const nowMs = () => performance.timeOrigin + performance.now();
  const blockedAtMs = nowMs() - 3_000;
  expect(loop.received(blockedAtMs)).toBeGreaterThanOrEqual(3_000);
  expect([1_000, 2_000].map((later) => loop.received(blockedAtMs + later))).toEqual([0, 0]);
  const sentAtMs = nowMs();
  await new Promise((resolve) => setTimeout(resolve, 5));
  expect(loop.received(sentAtMs)).toBeGreaterThan(0);
});

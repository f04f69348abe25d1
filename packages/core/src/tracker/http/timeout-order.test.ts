import { beforeEach, expect, test } from 'vitest';
import { TimeoutOrder } from './timeout-order.ts';

let said: string[];
let order: TimeoutOrder;
beforeEach(() => {
  said = [];
  order = new TimeoutOrder((message) => said.push(message));
});

test('what has struck is said once, with after how long and what to set', () => {
  for (const elapsedMs of [1_100, 1_150]) order.struck('connect-timeout', elapsedMs, 10_000, 1_000);
  expect(said).toEqual([
    'connect-timeout has ended a request after about 1100 ms, while its handler was still waiting, before hangwatch could report it as stuck (timeout 10000 ms): ' +
      "set hangwatch's timeout to 880 or less, or the other to more than 11250",
  ]);
  order.struck('a time-out that answers 408', 1_100, 10_000, 1_000);
  expect(said).toHaveLength(2);
});

test('one that was read and said before is not said again when it strikes', () => {
  const handlerTimeout = { name: 'handlerTimeout', ms: 5_000 };
  for (let i = 0; i < 2; i++) order.check(handlerTimeout, 10_000, 1_000);
  expect(said).toHaveLength(1);
  expect(order.isSaid('a time-out that answers 503', 4_800)).toBe(true);
  order.struck('a time-out that answers 503', 4_800, 10_000, 1_000);
  expect(said).toHaveLength(1);
  // Sooner than that, it must have been another.
  order.struck('a time-out that answers 503', 1_000, 10_000, 1_000);
  expect(said).toHaveLength(2);
});

test('one that strikes late enough is in order', () => {
  order.check({ name: 'x', ms: 60_000 }, 10_000, 1_000);
  expect(said).toEqual([]);
  expect(order.isSaid('x', 60_000)).toBe(false);
});

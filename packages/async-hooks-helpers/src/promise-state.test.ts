import { expect, test } from 'vitest';
import { isPending, isRejected } from './promise-state.ts';

class Mine extends Promise<unknown> {
  readonly extra = 1;
}
const never = () => undefined;

test.each<[string, Promise<unknown>, boolean]>([
  ['pending', new Promise(never), true],
  ['a pending one of a subclass', new Mine(never), true],
  ['with a property of its own', Object.assign(new Promise(never), { then2: { a: 1 } }), true],
  ['fulfilled', Promise.resolve({ deep: { deeper: 1 } }), false],
  ['fulfilled with what looks like it', Promise.resolve('<pending>'), false],
  ['fulfilled with another that is pending inside', Promise.resolve([new Promise(never)]), false],
])('%s', (_, promise, pending) => {
  expect(isPending(promise)).toBe(pending);
});

test('a rejection is told, and stays unhandled: nothing was added to the promise', async () => {
  const unhandled: unknown[] = [];
  const listener = (reason: unknown) => unhandled.push(reason);
  const others = process.listeners('unhandledRejection');
  process.removeAllListeners('unhandledRejection');
  process.on('unhandledRejection', listener);
  try {
    const promise = Promise.reject(new Error('nobody handles this'));
    expect(isPending(promise)).toBe(false);
    await new Promise((resolve) => setImmediate(resolve));
    expect(unhandled).toHaveLength(1);
  } finally {
    process.off('unhandledRejection', listener);
    for (const other of others) process.on('unhandledRejection', other);
  }
});

test('what throws when it is looked at is not called pending', () => {
  const promise = new Promise(never);
  Object.defineProperty(promise, Symbol.toStringTag, {
    get() {
      throw new Error('no');
    },
  });
  expect(isPending(promise)).toBe(false);
});

test('a rejected promise is told from others, and stays as it is', async () => {
  const rejected = Promise.reject(new Error('staged'));
  expect(isRejected(rejected)).toBe(true);
  expect(isRejected(Promise.resolve({ a: '<rejected>' }))).toBe(false);
  expect(isRejected(new Promise(() => undefined))).toBe(false);
  await expect(rejected).rejects.toThrow('staged');
});

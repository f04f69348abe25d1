import { afterEach, beforeEach, expect, test } from 'vitest';
import { AwaitContext, MAX_OUTSTANDING } from './await-context.ts';
import { AwaitTracker } from './await-tracker.ts';
import { lookAtAwaits } from './context-awaits.ts';
import { ownAwait } from './own-await.ts';

let tracker: AwaitTracker;
beforeEach(() => {
  tracker = AwaitTracker.install({ clock: new Uint32Array(1), captureBudget: new Int32Array([100]) });
});
afterEach(() => tracker.uninstall());

const kept: unknown[] = [];
const never = (): Promise<void> => new Promise((resolve) => kept.push(resolve));
const macrotask = (): Promise<void> => new Promise((resolve) => setTimeout(resolve, 1));

async function explained(handler: (known: Promise<void>, second: Promise<void>) => unknown): Promise<boolean> {
  const [known, second] = [never(), never()];
  const context = new AwaitContext(new Uint32Array(1), 0);
  let own: unknown;
  tracker.run(context, () => {
    own = ownAwait(handler(known, second));
    // As frameworks do with what a handler returns.
    if (own instanceof Promise) own.then(() => undefined);
  });
  await macrotask();
  const work = lookAtAwaits(context);
  let step = work.next();
  while (step.done !== true) step = work.next();
  const found = step.value?.only(new Set([known, second]), own instanceof Promise ? own : undefined) ?? false;
  context.release();
  return found;
}

async function inner(promise: Promise<unknown>): Promise<void> {
  await promise;
}

const all: [string, (known: Promise<void>, second: Promise<void>) => unknown][] = [
  ['it is awaited', async (known) => await known],
  ['deep inside', async (known) => await inner(inner(known))],
  ['`then` is called on it', async (known) => await known.then(() => 1).then(() => 2)],
  ['it is one of several such', async (known, second) => await Promise.all([inner(known), second])],
  ['two functions wait at once', async (known, second) => void (await Promise.all([inner(known), inner(second)]))],
];
test.each(all)('all is explained where %s', async (_, handler) => {
  expect(await explained(handler)).toBe(true);
});

const some: [string, (known: Promise<void>) => unknown][] = [
  ['nothing is awaited', async () => 1],
  ['only something else is awaited', async () => await never()],
  [
    'something else is awaited beside it',
    async (known) => {
      void inner(never());
      await known;
    },
  ],
  [
    'the same function, at the same place, also waits for something else',
    async (known) => {
      void inner(never());
      await inner(known);
    },
  ],
  [
    'the very same functions, called from the same place, also wait for something else',
    async (known) => {
      const outer = async (promise: Promise<unknown>) => {
        await inner(promise);
      };
      await Promise.all([known, never()].map(outer));
    },
  ],
  ['something else is raced with it', async (known) => await Promise.race([known, never()])],
  ['something else is waited for as well', async (known) => await Promise.all([known, never()])],
  [
    'the caller waits for something else',
    async (known) => {
      const caller = async (promise: Promise<unknown>) => {
        await promise;
      };
      void caller(inner(known));
      void caller(never());
      await never();
    },
  ],
  [
    'something awaits a caller of it that does not wait for it any more',
    async (known) => {
      let stop: () => void = () => undefined;
      const stopped = new Promise<void>((resolve) => {
        stop = resolve;
      });
      void inner(known);
      const caller = async () => {
        await Promise.race([inner(known), stopped]);
        await never();
      };
      const called = caller();
      stop();
      await called;
    },
  ],
];
test.each(some)('not all is, where %s', async (_, handler) => {
  expect(await explained(handler)).toBe(false);
});

test('nothing is said of a context that has lost awaits, or is over', async () => {
  const known = never();
  const context = new AwaitContext(new Uint32Array(1), 0);
  const first = () => lookAtAwaits(context).next();
  tracker.run(context, () => void inner(known));
  expect(first().done).toBe(false);
  tracker.run(context, () => {
    for (let i = 0; i < MAX_OUTSTANDING; i++) void never().then();
  });
  expect(first()).toEqual({ done: true, value: undefined });
  expect(context.hasEvicted).toBe(true);
  context.release();
  expect(first()).toEqual({ done: true, value: undefined });
});

test('what is called outside is in no list of the context', async () => {
  const context = new AwaitContext(new Uint32Array(1), 0);
  tracker.run(context, () => tracker.runOutside((promise) => void inner(promise), never()));
  expect(context.outstanding).toBe(0);
  expect(tracker.run(context, () => tracker.runOutside((a: number, b: number) => a + b, 1, 2))).toBe(3);
});

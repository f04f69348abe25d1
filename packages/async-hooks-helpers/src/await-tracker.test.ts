import { afterEach, describe, expect, it } from 'vitest';
import { AwaitContext } from './await-context.ts';
import { AwaitTracker } from './await-tracker.ts';
import { type AwaitStack, collectAwaitStacks } from './collect-await-stacks.ts';
import { ownAwait, runOwn } from './own-await.ts';
import { sampleFirstWaiters } from './sample-first-waiters.ts';

const clock = new Uint32Array(1);
const captureBudget = new Int32Array([100]);
const kept: unknown[] = [];
const never = (): Promise<void> => new Promise((resolve) => kept.push(resolve));
const macrotask = (): Promise<void> => new Promise((resolve) => setTimeout(resolve, 1));

let tracker: AwaitTracker | undefined;
function install(): AwaitTracker {
  tracker = AwaitTracker.install({ clock, captureBudget });
  return tracker;
}
afterEach(() => tracker?.uninstall());

function begin(handler: () => unknown, context = new AwaitContext(new Uint32Array(1), 0)): AwaitContext {
  tracker?.run(context, () => void ownAwait(handler()));
  return context;
}
function stacksOf(...contexts: AwaitContext[]): AwaitStack[][] {
  const collection = collectAwaitStacks(contexts);
  let step = collection.next();
  while (step.done !== true) step = collection.next();
  return contexts.map((context) => step.value?.get(context) ?? []);
}
const names = (stacks: readonly AwaitStack[] | undefined): string[] =>
  (stacks ?? []).map((stack) => `${stack.own ? 'own ' : ''}${stack.frames.map((frame) => frame.function).join(' < ')}`);

describe('AwaitTracker', () => {
  it('says that all works here', () => {
    expect(install().support).toEqual({ hooks: true, stacks: true, reasons: [] });
  });

  it('finds what a context waits for, own first, with ages', async () => {
    install();
    clock[0] = 1000;
    const context = begin(async function handler() {
      (async function background() {
        await never();
      })();
      await (async function query() {
        await never();
      })();
    });
    await macrotask();
    clock[0] = 5000;
    const [stacks] = stacksOf(context);
    expect(names(stacks)).toEqual(['own query < handler', 'background']);
    expect(stacks?.[0]).toMatchObject({ sinceClock: 1000, ageMs: 4000, latestAgeMs: 4000, captured: false, count: 1 });
    expect(stacks?.[0]?.promise).toBeInstanceOf(Promise);
  });

  it('takes ages over the end of the clock', async () => {
    install();
    clock[0] = 0xffff_ff00;
    const context = begin(() => never());
    clock[0] = 0x100;
    expect(stacksOf(context)[0]?.[0]).toMatchObject({ sinceClock: 0xffff_ff00, ageMs: 0x200 });
  });

  it('counts each await that begins and each that resumes', async () => {
    install();
    const cells = new Uint32Array(3);
    const context = new AwaitContext(cells, 1);
    await tracker?.run(context, async () => {
      await macrotask();
      await macrotask();
      await 'a value, which begins twice and resumes once';
    });
    expect([...cells]).toEqual([0, 7, 0]);
    expect(context.outstanding).toBe(0);
  });

  it('recovers the frame of a second waiter, and lists who else waits', async () => {
    install();
    const shared = never();
    const handler = (): Promise<void> =>
      (async function handler() {
        await null;
        await (async function inner() {
          await shared;
        })();
      })();
    const [first, second] = [begin(handler), begin(handler)];
    await macrotask();
    const [a, b] = stacksOf(first, second);
    expect(names(a)).toEqual(['own handler']);
    expect(names(b)).toEqual(['own inner < handler']);
    expect([a?.[0]?.alsoAwaitedBy, b?.[0]?.alsoAwaitedBy]).toEqual([[second], [first]]);
    expect([a?.[0]?.captured, b?.[0]?.captured]).toEqual([false, true]);
  });

  it('keeps the frame of a first waiter that was looked at early', async () => {
    install();
    const shared = never();
    const handler = async function handler(): Promise<void> {
      await shared;
    };
    const first = begin(handler);
    await macrotask();
    sampleFirstWaiters(first);
    begin(handler);
    expect(names(stacksOf(first)[0])).toEqual(['own handler']);
  });

  it('takes runOwn for own too', async () => {
    install();
    const context = new AwaitContext(new Uint32Array(1), 0);
    tracker?.run(
      context,
      () =>
        void runOwn(async function rest() {
          await never();
        }),
    );
    expect(names(stacksOf(context)[0])).toEqual(['own rest']);
  });

  it('is one for all, until the last has left', async () => {
    const one = install();
    const other = AwaitTracker.install();
    expect(other).toBe(one);
    other.uninstall();
    expect(begin(() => never()).outstanding).toBeGreaterThan(0);
    one.uninstall();
    one.uninstall();
    expect(begin(() => never()).outstanding).toBe(0);
  });

  it('refuses options that are no cells, and contexts that are none', () => {
    expect(() => AwaitTracker.install({ clock: [] as never })).toThrow(
      'options.clock must be a Uint32Array of at least one cell, got object',
    );
    expect(() => AwaitTracker.install({ captureBudget: new Int32Array(0) })).toThrow(
      'options.captureBudget must be an Int32Array',
    );
    expect(() => install().run({} as never, () => 1)).toThrow('context must be an AwaitContext');
  });

  it('has a clock of its own that runs while a context is live', async () => {
    tracker = AwaitTracker.install();
    const context = begin(() => never());
    const [before] = tracker.clock;
    await expect.poll(() => tracker?.clock[0]).toBeGreaterThan(before ?? 0);
    expect(stacksOf(context)[0]?.[0]?.ageMs).toBeGreaterThan(0);
    context.release();
  });
});

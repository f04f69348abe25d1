import { afterEach, beforeEach, expect, test, vi } from 'vitest';
import type { RequestEvidence, ToMain } from '../../shared/worker-protocol.ts';
import { MainThread } from './main-thread.ts';

const WAIT_MS = 1_000;

beforeEach(() => {
  vi.useFakeTimers();
});
afterEach(() => {
  vi.useRealTimers();
});

function setUp() {
  const asked: ToMain[] = [];
  const loop = { turns: 0 };
  const main = new MainThread(
    (message) => asked.push(message),
    WAIT_MS,
    () => loop.turns,
  );
  const gathered = main.gather([]);
  let settled = false;
  gathered.then(
    () => {
      settled = true;
    },
    () => undefined,
  );
  const part = (requests: readonly RequestEvidence[] = []) => main.receive({ type: 'evidence-part', id: 1, requests });
  return { main, gathered, part, loop, isSettled: () => settled };
}

test('silence is waited for no longer than agreed', async () => {
  const { gathered } = setUp();
  await vi.advanceTimersByTimeAsync(WAIT_MS);
  expect(await gathered).toMatchObject({ complete: false, tookMs: WAIT_MS });
});

test('while the event loop turns, an answer may take longer, and not for ever', async () => {
  const { gathered, loop, isSettled } = setUp();
  for (let i = 0; i < 4; i++) {
    loop.turns += 1;
    await vi.advanceTimersByTimeAsync(WAIT_MS);
    expect(isSettled()).toBe(false);
  }
  loop.turns += 1;
  await vi.advanceTimersByTimeAsync(WAIT_MS);
  expect(await gathered).toMatchObject({ complete: false, tookMs: 5 * WAIT_MS });
});

test('a sign of life, even without requests, begins the wait again', async () => {
  const { gathered, part, isSettled } = setUp();
  for (let i = 0; i < 5; i++) {
    await vi.advanceTimersByTimeAsync(WAIT_MS - 1);
    part();
  }
  expect(isSettled()).toBe(false);
  await vi.advanceTimersByTimeAsync(WAIT_MS);
  expect(await gathered).toMatchObject({ complete: false });
});

test('an answer that never ends is cut off after 15 s: the report has to be out before something kills the request', async () => {
  const { part, isSettled } = setUp();
  for (let i = 0; i < 149; i++) {
    await vi.advanceTimersByTimeAsync(100);
    part();
  }
  expect(isSettled()).toBe(false);
  await vi.advanceTimersByTimeAsync(100);
  expect(isSettled()).toBe(true);
});

test('giving up takes what there is', async () => {
  const { main, gathered } = setUp();
  main.giveUp();
  expect(await gathered).toMatchObject({ complete: false });
  expect(vi.getTimerCount()).toBe(0);
});

import { types } from 'node:util';
import { promiseHooks } from './await-hooks.ts';
import type { CallSite } from './call-site.ts';
import { OtherWaiters } from './other-waiters.ts';
import { stampOf } from './promise-stamp.ts';
import { isRejected } from './promise-state.ts';

/** Is told when something that was awaited as a context's own has settled. Neither method may throw. */
export interface OwnObserver {
  /** @param token - what the await was given, to tell one from another */
  ownFulfilled(token: number): void;
  ownRejected(token: number, error: unknown): void;
}

// These three functions are recognised by their position in this script, whatever a bundler makes of their names.
async function hangwatchHandler(promise: Promise<unknown>, observer?: OwnObserver, token = 0): Promise<unknown> {
  let value: unknown;
  try {
    value = await promise;
  } catch (error) {
    observer?.ownRejected(token, error);
    throw error;
  }
  observer?.ownFulfilled(token);
  return value;
}

async function hangwatchIgnored(
  promise: Promise<unknown>,
  others: OtherWaiters,
  observer?: OwnObserver,
  token = 0,
): Promise<void> {
  try {
    await promise;
    observer?.ownFulfilled(token);
  } catch (error) {
    observer?.ownRejected(token, error);
    if (others.handledSoFar()) return;
    // Node asks who is unhandled once the microtasks are done; until then somebody may still come.
    await new Promise<void>((resolve) => process.nextTick(resolve));
    if (!others.handledSince()) throw error;
  } finally {
    others.forget();
  }
}

async function hangwatchRoot(fn: () => unknown, observer?: OwnObserver, token = 0): Promise<unknown> {
  let value: unknown;
  try {
    value = await fn();
  } catch (error) {
    observer?.ownRejected(token, error);
    throw error;
  }
  observer?.ownFulfilled(token);
  return value;
}

/**
 * Marks what `value` waits for as the current context's own: every await stack behind it ends in this package's frame, is returned with
 * `own: true` and without that frame. Return what this returns in `value`'s place: a rejection then stays as handled or as unhandled as it was.
 *
 * Anything but a genuine promise comes back as it is. A lazy thenable (a query builder) isn't touched: calling its `then` would run it.
 *
 * @param observer - is told when the promise has settled, which costs it nothing more
 * @example
 * const wrapped = (request, reply) => ownAwait(handler(request, reply));
 */
export function ownAwait<T>(value: T, observer?: OwnObserver, token?: number): T {
  return types.isPromise(value) ? (hangwatchHandler(value, observer, token) as T) : value;
}

/** The prototype of what async functions return, also where a library has replaced the global `Promise`. */
const promisePrototype: object = Object.getPrototypeOf((async () => undefined)());

/**
 * {@link ownAwait} for a caller that ignores what the function returned, as Express 4 and `node:http` do. There, a promise whose
 * rejection the application handles itself must not be rejected a second time with nobody to handle it; and one that nobody handles
 * must stay so. Subclasses of `Promise` are left alone: a `then` of their own would run, which nobody else calls.
 *
 * @param isNew - the promise was made by the call that returned it, as every async function's is; of others the state is asked for first,
 * which takes some 2 microseconds
 * @returns whether it is awaited
 * @example
 * server.on('request', (request, response) => ownAwaitIgnored(listener(request, response)));
 */
export function ownAwaitIgnored(value: unknown, observer?: OwnObserver, token?: number, isNew = false): boolean {
  if (!types.isPromise(value) || Object.getPrototypeOf(value) !== promisePrototype || Object.hasOwn(value, 'then'))
    return false;
  // Nobody would tell us who else waits.
  if (!promiseHooks.installed) return false;
  // Rejected before there were hooks to see who handles it, maybe: then nothing is awaited, and the rejection is none of ours.
  if (!isNew && stampOf(value) === undefined && isRejected(value)) return false;
  const others = new OtherWaiters(value);
  void hangwatchIgnored(value, others, observer, token);
  others.weWait();
  const stamp = stampOf(value);
  if (stamp !== undefined) stamp.others = others;
  return true;
}

/**
 * Calls `fn` and awaits its result as the current context's own. For middleware that awaits the rest of the chain itself, as Koa's does.
 *
 * @example
 * app.use((ctx, next) => tracker.run(context, () => runOwn(next)));
 */
export function runOwn<T>(fn: () => Promise<T> | T, observer?: OwnObserver, token?: number): Promise<T> {
  return hangwatchRoot(fn, observer, token) as Promise<T>;
}

/** Promises, one for each of the three functions, that it waits for: by them their frames are learnt. */
export function ownAwaited(makePromise: () => Promise<unknown>): Promise<unknown>[] {
  const [handled, ignored, returned] = [makePromise(), makePromise(), makePromise()];
  void hangwatchHandler(handled);
  void hangwatchIgnored(ignored, new OtherWaiters(ignored));
  void hangwatchRoot(() => returned);
  return [handled, ignored, returned];
}

/** Which frames are the three functions above. Learnt by walking them once, in the self-test. */
export class OwnFrames {
  readonly #positions = new Set<string>();

  add(site: CallSite): void {
    this.#positions.add(positionOf(site));
  }

  has(site: CallSite | undefined): boolean {
    return site !== undefined && this.#positions.has(positionOf(site));
  }

  get size(): number {
    return this.#positions.size;
  }
}

function positionOf(site: CallSite): string {
  return `${site.file}:${site.line}:${site.column}`;
}

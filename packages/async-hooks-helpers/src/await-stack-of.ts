import { types } from 'node:util';
import type { CallSite } from './call-site.ts';
import { DEFAULT_FRAME_LIMIT, frameWalker } from './frame-walker.ts';

const MAX_FRAMES = 10_000;

/**
 * Where a pending promise is being awaited: the suspended functions behind it, innermost first, each with the position of its `await`.
 * Nothing need have been recorded before, and the promise isn't touched: no reaction, no hook, no change in how its rejection counts.
 *
 * `[]` where nobody awaits it, more than one does (V8 stops there; probe the outer promises), it has settled, it isn't a promise, or
 * the runtime can't tell. Costs about 10 microseconds and half a one for each frame. Call it from a macrotask (a timer, an I/O callback):
 * inside a microtask it takes the `at async` lines from errors made later in that microtask.
 *
 * @param options.limit most frames to return
 * @default options.limit 200
 * @throws RangeError if `limit` isn't a positive integer
 *
 * @example
 * const answer = fetchReport();
 * setTimeout(() => console.log(awaitStackOf(answer)), 10_000).unref();
 */
export function awaitStackOf(promise: Promise<unknown>, options: { limit?: number } = {}): CallSite[] {
  const limit = options.limit ?? DEFAULT_FRAME_LIMIT;
  if (!Number.isInteger(limit) || limit < 1) {
    throw new RangeError(`options.limit must be a positive integer, got ${JSON.stringify(limit)}`);
  }
  if (!types.isPromise(promise)) return [];
  return frameWalker()?.walk(promise, Math.min(limit, MAX_FRAMES)) ?? [];
}

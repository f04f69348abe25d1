import { types } from 'node:util';
import { WatchedPromises } from './evidence/watched-promises.ts';
import { labelText } from './places/label-text.ts';
import { existingTracker } from './process/process-tracker.ts';

/**
 * Says that the current request waits for a promise: while it is pending, the dump shows it under `waitsFor`, with its label and age. For
 * what no stack can show: work that somebody else's queue, pool or worker does. The promise is returned as it is and never touched: a
 * rejection stays as handled or unhandled as it was. Anything but a genuine promise (a lazy query builder, say) is returned and not watched.
 *
 * @param label short and without secrets; at most 200 characters are kept
 * @example
 * const connection = await watch(pool.connect(), 'a connection of the pool');
 */
export function watch<T>(promise: T, label: string): T {
  const record = existingTracker()?.current();
  if (record === undefined || !types.isPromise(promise)) return promise;
  record.watched ??= new WatchedPromises();
  record.watched.add(promise, labelText(label), record.owner.clock[0] ?? 0);
  return promise;
}

import { CHAIN, type RequestRecord, recordOf, runOwn, type Watch } from '@hangwatch/core/adapter';
import type { AnyMiddleware, Context, Next } from './context.ts';
import { chainAfter } from './wrap.ts';

/** On a record: its chain of middleware is looked at. */
const CHAINED = Symbol('chained');

/**
 * Registers the request, unless somebody has, and runs the rest of the chain in its context. The promise is the application's own chain:
 * it settles as `next()` does.
 */
export function enterRequest(watch: Watch, own: AnyMiddleware, context: Context, next: Next): Promise<unknown> {
  const record = watch.enter(context.req, context.res);
  const known = record ?? recordOf(context.req);
  if (known === undefined) return next();
  // Koa answers errors of the response itself, and waits for its end to hear of them.
  known.endListeners = 1;
  const chain = context.app === undefined ? undefined : chainAfter(own, context.app);
  // The chain ends where the application's does, so `next`, which would run the same middleware again, is not called.
  const rest = chain === undefined ? next : () => chain(context, () => Promise.resolve());
  // An application within one that is watched: the end of its chain is not the end of the whole.
  if (!isFirst(known)) return rest();
  return record === undefined ? runOwn(rest, known, CHAIN) : watch.run(record, runOwn, rest, record, CHAIN);
}

function isFirst(record: RequestRecord): boolean {
  if (record.adapterState !== undefined) return false;
  record.adapterState = CHAINED;
  return true;
}

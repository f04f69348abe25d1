import type { IncomingMessage, ServerResponse } from 'node:http';
import { type RequestRecord, recordOf, type Watch } from '@hangwatch/core/adapter';

/** Passes control on, with an error or without. */
export type Next = (error?: unknown) => void;
/** Middleware as Express 4 and 5 (and Connect) call it. */
export type Middleware = (request: IncomingMessage, response: ServerResponse, next: Next) => void;

/**
 * Registers the request, unless somebody has, and runs the rest of it in its context.
 *
 * @returns its record, or `undefined` where it is not watched
 */
export function enterRequest(
  watch: Watch,
  request: IncomingMessage,
  response: ServerResponse,
  next: Next,
  prepare: () => void,
): RequestRecord | undefined {
  const record = watch.enter(request, response);
  const known = record ?? recordOf(request);
  if (known !== undefined) prepare();
  if (record === undefined) next();
  else watch.run(record, next);
  return known;
}

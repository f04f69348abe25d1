import { type RequestRecord, type RouteOptions, recordOf, resolveRouteOptions } from '@hangwatch/core/adapter';
import type { Context, Middleware } from './context.ts';

/**
 * Middleware that changes what hangwatch does for a route: another `timeout` or `maxDuration`, or `false`, for requests that are shown
 * as in flight and never as stuck.
 *
 * @throws {HangwatchError} `HANGWATCH_ERR_OPTION`
 * @example
 * router.get('/export', hangwatch.route({ timeout: 120_000 }), handler);
 * router.get('/events', hangwatch.route(false), serverSentEvents);
 */
export function route(options: RouteOptions | false): Middleware {
  const override = resolveRouteOptions(options, 'hangwatch.route(options)');
  return function hangwatchRoute(context, next) {
    recordOf(context.req)?.override(override);
    return next();
  };
}

/** Tells the record the route that a router has found. `@koa/router` writes it onto the context before it calls the route. */
export function enterRoute(record: RequestRecord, context: Context): void {
  const { _matchedRoute: matched } = context as { _matchedRoute?: unknown };
  if (typeof matched === 'string') record.setRoute(matched);
  else if (matched instanceof RegExp) record.setRoute(String(matched));
}

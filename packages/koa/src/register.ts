import type { Configuration, HangwatchOptions, SelfTestHandlerOptions } from '@hangwatch/core';
import { openWatch, type RouteOptions, selfTest } from '@hangwatch/core/adapter';
import type { Middleware } from './context.ts';
import { enterRequest } from './enter.ts';
import { route } from './route.ts';
import { selfTestHandler } from './self-test-handler.ts';

/** The middleware that {@link hangwatch} makes. */
export interface HangwatchMiddleware extends Middleware {
  /** Changes thresholds, routes and what is ignored while the process runs. Throws `HANGWATCH_ERR_OPTION`. */
  configure(change: Configuration): void;
  /** The application is done: the last one to close ends the watchdog, once its reports are delivered or spooled. Idempotent. */
  close(): Promise<void>;
}

/** What the package exports: see {@link hangwatch}. */
export interface Hangwatch {
  (options?: HangwatchOptions): HangwatchMiddleware;
  /** Middleware that changes what hangwatch does for a route. Throws `HANGWATCH_ERR_OPTION`. */
  readonly route: (options: RouteOptions | false) => Middleware;
  /** Stages a hang in this process and waits until a collector has acknowledged its report: see `selfTest` of `@hangwatch/core`. */
  readonly selfTest: typeof selfTest;
  /**
   * A handler that answers with what {@link selfTest} says, as JSON: 200, or 503 with the failed step. At most one test in ten seconds. `hangwatch doctor URL` reads it.
   *
   * @throws {HangwatchError} `HANGWATCH_ERR_OPTION`
   * @example
   * router.get('/self-test', hangwatch.selfTestHandler({ token: process.env.OPS_TOKEN }));
   */
  readonly selfTestHandler: (options?: SelfTestHandlerOptions) => Middleware;
}

/**
 * Middleware that watches every request which reaches it, so it comes first. Works with Koa 2 and 3, and with `@koa/router`.
 *
 * @throws {HangwatchError} `HANGWATCH_ERR_OPTION` when an option is wrong
 * @example
 * const app = new Koa();
 * app.use(hangwatch({ timeout: 10_000, collector: 'http://127.0.0.1:4747' }));
 * router.get('/export', hangwatch.route({ timeout: 120_000 }), handler);
 */
export const hangwatch: Hangwatch = Object.assign(makeMiddleware, { route, selfTest, selfTestHandler });

function makeMiddleware(options: HangwatchOptions = {}): HangwatchMiddleware {
  const watch = openWatch(options);
  const middleware: Middleware = function hangwatch(context, next) {
    return watch.enabled ? enterRequest(watch, middleware, context, next) : next();
  };
  return Object.assign(middleware, {
    configure: (change: Configuration) => watch.configure(change),
    close: () => watch.close(),
  });
}

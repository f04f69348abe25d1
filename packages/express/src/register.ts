import type { Configuration, HangwatchOptions, SelfTestHandlerOptions } from '@hangwatch/core';
import { openWatch, type RouteOptions, selfTest, selfTestHandler } from '@hangwatch/core/adapter';
import { enterRequest, type Middleware } from './enter.ts';
import type { ExpressRequest } from './layer.ts';
import { route } from './route.ts';
import { watchLayersOf } from './wrap.ts';

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
   * app.get('/self-test', hangwatch.selfTestHandler({ token: process.env.OPS_TOKEN }));
   */
  readonly selfTestHandler: (options?: SelfTestHandlerOptions) => Middleware;
}

/**
 * Middleware that watches every request which reaches it, so it comes first. Works with Express 4 and 5. Where an application and one
 * mounted in it both have it, the outer one watches.
 *
 * @throws {HangwatchError} `HANGWATCH_ERR_OPTION` when an option is wrong
 * @example
 * const app = express();
 * app.use(hangwatch({ timeout: 10_000, collector: 'http://127.0.0.1:4747' }));
 * app.get('/export', hangwatch.route({ timeout: 120_000 }), handler);
 */
export const hangwatch: Hangwatch = Object.assign(makeMiddleware, { route, selfTest, selfTestHandler });

function makeMiddleware(options: HangwatchOptions = {}): HangwatchMiddleware {
  const watch = openWatch(options);
  const watched = new WeakSet<object>();
  const middleware: Middleware = function hangwatch(request, response, next) {
    enterRequest(watch, request, response, next, () => {
      const { app } = request as ExpressRequest;
      if (typeof app !== 'function' || watched.has(app)) return;
      watched.add(app);
      watchLayersOf(routerOf(app));
    });
  };
  return Object.assign(middleware, {
    configure: (change: Configuration) => watch.configure(change),
    close: () => watch.close(),
  });
}

/** Express 4 keeps its router in `_router` and throws on `router`; Express 5 the other way round, without throwing. */
function routerOf(app: object): unknown {
  return '_router' in app ? app._router : (app as { router?: unknown }).router;
}

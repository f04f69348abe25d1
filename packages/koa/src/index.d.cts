import type { IncomingMessage, ServerResponse } from 'node:http';
import type { Http2ServerRequest, Http2ServerResponse } from 'node:http2';
import type {
  Configuration,
  HangwatchOptions as CoreOptions,
  RouteOptions as CoreRouteOptions,
  selfTest as coreSelfTest,
  SelfTestHandlerOptions,
} from '@hangwatch/core';

/** Middleware that watches every request which reaches it. The module is this function; see the README. */
declare function hangwatch(options?: hangwatch.HangwatchOptions): hangwatch.HangwatchMiddleware;

declare namespace hangwatch {
  export type HangwatchOptions = CoreOptions;
  export type RouteOptions = CoreRouteOptions;
  /** What is needed of Koa's context. */
  export interface Context {
    readonly req: IncomingMessage | Http2ServerRequest;
    readonly res: ServerResponse | Http2ServerResponse;
    readonly app?: { readonly middleware?: unknown; readonly compose?: unknown };
  }
  /** Calls the rest of the chain. */
  export type Next = () => Promise<unknown>;
  /** Middleware as Koa 2 and 3 call it. */
  export type Middleware = (context: Context, next: Next) => Promise<unknown>;
  /** The middleware that `hangwatch` makes. */
  export interface HangwatchMiddleware extends Middleware {
    /** Changes thresholds, routes and what is ignored while the process runs. Throws `HANGWATCH_ERR_OPTION`. */
    configure(change: Configuration): void;
    /** The application is done: the last one to close ends the watchdog, once its reports are delivered or spooled. Idempotent. */
    close(): Promise<void>;
  }
  /** What the module is. */
  export type Hangwatch = typeof hangwatch;
  /** Middleware that changes what hangwatch does for a route. */
  export function route(options: RouteOptions | false): Middleware;
  /** Stages a hang in this process and waits until a collector has acknowledged its report: see `selfTest` of `@hangwatch/core`. */
  export const selfTest: typeof coreSelfTest;
  /** A handler that answers with what `selfTest` says, as JSON: 200, or 503 with the failed step. `hangwatch doctor URL` reads it. */
  export function selfTestHandler(options?: SelfTestHandlerOptions): Middleware;
  export { hangwatch, hangwatch as default };
}

export = hangwatch;

import type { IncomingMessage, ServerResponse } from 'node:http';
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
  /** Passes control on, with an error or without. */
  export type Next = (error?: unknown) => void;
  /** Middleware as Express 4 and 5 (and Connect) call it. */
  export type Middleware = (request: IncomingMessage, response: ServerResponse, next: Next) => void;
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

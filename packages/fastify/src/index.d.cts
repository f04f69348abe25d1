import type {
  HangwatchOptions as CoreOptions,
  RouteOptions as CoreRouteOptions,
  selfTest as coreSelfTest,
  SelfTestHandlerOptions,
} from '@hangwatch/core';
import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify';

declare module 'fastify' {
  interface FastifyContextConfig {
    /** What hangwatch does differently on this route; `false`: requests of this route are shown as in flight and never as stuck. */
    hangwatch?: CoreRouteOptions | false;
  }
}

/** Watches every request of the instance that it is registered on. The module is this plugin; see the README. */
declare function hangwatch(instance: FastifyInstance, options: CoreOptions, done: (error?: Error) => void): void;

declare namespace hangwatch {
  export type HangwatchOptions = CoreOptions;
  export type RouteOptions = CoreRouteOptions;
  /** Stages a hang in this process and waits until a collector has acknowledged its report: see `selfTest` of `@hangwatch/core`. */
  export const selfTest: typeof coreSelfTest;
  /** A handler that answers with what `selfTest` says, as JSON: 200, or 503 with the failed step. `hangwatch doctor URL` reads it. */
  export function selfTestHandler(
    options?: SelfTestHandlerOptions,
  ): (request: FastifyRequest, reply: FastifyReply) => void;
  export { hangwatch, hangwatch as default };
}

export = hangwatch;

import type { HangwatchOptions as CoreOptions, RouteOptions as CoreRouteOptions } from '@hangwatch/core';
import type { FastifyInstance } from 'fastify';

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
  export { hangwatch, hangwatch as default };
}

export = hangwatch;

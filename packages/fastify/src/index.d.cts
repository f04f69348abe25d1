import type {
  HangwatchOptions as CoreOptions,
  RouteOptions as CoreRouteOptions,
  selfTest as coreSelfTest,
} from '@hangwatch/core';
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
  /** Stages a hang in this process and waits until a collector has acknowledged its report: see `selfTest` of `@hangwatch/core`. */
  export const selfTest: typeof coreSelfTest;
  export { hangwatch, hangwatch as default };
}

export = hangwatch;

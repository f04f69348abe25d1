import type { RouteOptions, Watch } from '@hangwatch/core';

export type { HangwatchOptions, RouteOptions } from '@hangwatch/core';
export { type Hangwatch, hangwatch, hangwatch as default } from './register.ts';

// Here, because what augments from another file is left out of the built declarations.
declare module 'fastify' {
  interface FastifyInstance {
    /**
     * The registration of the instance that `@hangwatch/fastify` was registered on first.
     *
     * @example
     * app.hangwatch.configure({ routes: { 'GET /export': { timeout: 120_000 } } });
     */
    hangwatch: Watch;
  }
  interface FastifyContextConfig {
    /**
     * What hangwatch does differently on this route; `false`: requests of this route are shown as in flight and never as stuck.
     *
     * @example
     * app.get('/export', { config: { hangwatch: { timeout: 120_000 } } }, handler);
     */
    hangwatch?: RouteOptions | false;
  }
}

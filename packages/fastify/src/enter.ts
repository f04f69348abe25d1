import { recordOf, type Watch } from '@hangwatch/core/adapter';
import type { FastifyReply, FastifyRequest, HookHandlerDoneFunction } from 'fastify';
import { routeOf } from './route.ts';

/** The `onRequest` hook that registers a request, tells its route, and runs the rest of it in its context. */
export function enterHook(watch: Watch) {
  return function hangwatch(request: FastifyRequest, reply: FastifyReply, done: HookHandlerDoneFunction): void {
    const entered = watch.enter(request.raw, reply.raw);
    // Not entered: ignored, switched off, or somebody else's already (a watched server, an outer registration), who knows no routes.
    const record = entered ?? recordOf(request.raw);
    if (record === undefined) {
      done();
      return;
    }
    const { pattern, override } = routeOf(request, watch);
    if (pattern !== undefined) record.setRoute(pattern);
    if (override !== undefined) record.override(override);
    if (entered === undefined) done();
    else watch.run(entered, done);
  };
}

/**
 * What an adapter for a framework is made of. Applications need `@hangwatch/core` or an adapter, not this.
 */
export { runOwn } from '@hangwatch/async-hooks-helpers';
export { HangwatchError } from './errors.ts';
export type { HangwatchOptions } from './options.ts';
export type { IncomingRequest, OutgoingResponse } from './tracker/http-messages.ts';
export { CHAIN, type LayerKind } from './tracker/layer-trace.ts';
export type { RequestRecord } from './tracker/request-record.ts';
export { recordOf } from './tracker/request-stamp.ts';
export { type RouteOptions, type RouteOverride, resolveRouteOptions } from './tracker/route-override.ts';
export { selfTest } from './tracker/run-self-test.ts';
export { selfTestHandler } from './tracker/self-test-handler.ts';
export type { AnyFunction, Site } from './tracker/site.ts';
export { openWatch, type Watch } from './tracker/watch.ts';

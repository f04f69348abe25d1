/**
 * What an adapter for a framework is made of. Applications need `@hangwatch/core` or an adapter, not this.
 */
export { runOwn } from '@hangwatch/async-hooks-helpers';
export { HangwatchError } from './errors.ts';
export type { HangwatchOptions } from './options.ts';
export type { IncomingRequest, OutgoingResponse } from './tracker/http/http-messages.ts';
export { recordOf } from './tracker/http/request-stamp.ts';
export { type RouteOptions, type RouteOverride, resolveRouteOptions } from './tracker/options/route-override.ts';
export { CHAIN, type LayerKind } from './tracker/places/layer-trace.ts';
export type { AnyFunction, Site } from './tracker/places/site.ts';
export type { RequestRecord } from './tracker/request-record.ts';
export { selfTest } from './tracker/self-test/run-self-test.ts';
export { selfTestHandler } from './tracker/self-test/self-test-handler.ts';
export { openWatch, type Watch } from './tracker/watch.ts';

export type { Dump } from '@hangwatch/protocol';
export { HangwatchError, type HangwatchErrorCode } from './errors.ts';
export type { HangwatchOptions, IgnoreRule } from './options.ts';
export { type CurrentRequest, checkpoint, currentRequest } from './tracker/checkpoint.ts';
export type { RouteOptions } from './tracker/route-override.ts';
export type { Watch } from './tracker/watch.ts';
export { type WatchableServer, watchServer } from './tracker/watch-server.ts';

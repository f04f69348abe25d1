export type { Dump } from '@hangwatch/protocol';
export { HangwatchError, type HangwatchErrorCode } from './errors.ts';
export type { BlockedLoopOptions, Configuration, HangwatchOptions, IgnoreRule } from './options.ts';
export { bind } from './tracker/bind.ts';
export {
  type Claim,
  type ClaimOptions,
  type Resource,
  type ResourceOptions,
  resource,
  withoutRequest,
} from './tracker/claims/resource.ts';
export { configure } from './tracker/configure.ts';
export { type CurrentRequest, currentRequest } from './tracker/current-request.ts';
export { dump } from './tracker/dump.ts';
export { type WatchableServer, watchServer } from './tracker/http/watch-server.ts';
export type { RouteTable } from './tracker/options/resolve-routes.ts';
export type { Level, RouteOptions } from './tracker/options/route-override.ts';
export { checkpoint } from './tracker/places/checkpoint.ts';
export {
  type SelfTestOptions,
  type SelfTestResult,
  type SelfTestSkipped,
  selfTest,
} from './tracker/self-test/run-self-test.ts';
export type { SelfTestPassed } from './tracker/self-test/self-test.ts';
export { type SelfTestHandlerOptions, selfTestHandler } from './tracker/self-test/self-test-handler.ts';
export type { Watch } from './tracker/watch.ts';
export { watch } from './tracker/watch-promise.ts';
export { type TaskOptions, watchTask } from './tracker/watch-task.ts';

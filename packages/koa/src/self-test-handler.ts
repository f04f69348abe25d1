import type { SelfTestHandlerOptions } from '@hangwatch/core';
import { selfTestHandler as handlerOfCore } from '@hangwatch/core/adapter';
import type { Middleware } from './context.ts';

/** See `selfTestHandler` of `@hangwatch/core`. It answers by itself, when the test is over: Koa is told to leave the response alone. */
export function selfTestHandler(options?: SelfTestHandlerOptions): Middleware {
  const handle = handlerOfCore(options);
  return async function hangwatchSelfTest(context) {
    Object.assign(context, { respond: false });
    handle(context.req, context.res);
  };
}

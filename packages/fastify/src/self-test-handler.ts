import type { SelfTestHandlerOptions } from '@hangwatch/core';
import { selfTestHandler as handlerOfCore } from '@hangwatch/core/adapter';
import type { FastifyReply, FastifyRequest } from 'fastify';

/** See `selfTestHandler` of `@hangwatch/core`. It answers by itself, when the test is over: Fastify is told to leave the reply alone. */
export function selfTestHandler(
  options?: SelfTestHandlerOptions,
): (request: FastifyRequest, reply: FastifyReply) => void {
  const handle = handlerOfCore(options);
  return function hangwatchSelfTest(request, reply) {
    reply.hijack();
    handle(request.raw, reply.raw);
  };
}

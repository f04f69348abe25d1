import type { AnyFunction } from '@hangwatch/core/adapter';
import { labelOf, wrapLayer } from './wrap.ts';

/**
 * Hooks that run for a request, with the length at which Fastify refuses an async function. `onRequestAbort` is none: it is called once the
 * connection is closed, and with that the request is over. https://fastify.dev/docs/latest/Reference/Hooks/
 */
const REFUSED_ASYNC_LENGTH: Readonly<Record<string, (length: number) => boolean>> = {
  onRequest: (length) => length === 3,
  preParsing: (length) => length === 4,
  preValidation: (length) => length === 3,
  preHandler: (length) => length === 3,
  preSerialization: (length) => length === 4,
  onSend: (length) => length === 4,
  onError: (length) => length === 4,
  onTimeout: (length) => length === 3,
  onResponse: (length) => length === 3,
};

/** Names of the hooks that are phases of a request. */
export const PHASES: readonly string[] = Object.keys(REFUSED_ASYNC_LENGTH);

/** The hook wrapped, or just as it came: when it is no phase of a request, or is something that Fastify refuses. */
export function wrapHook<T>(phase: string, hook: T): T {
  const refused = REFUSED_ASYNC_LENGTH[phase];
  if (refused === undefined || !isFunction(hook)) return hook;
  if (hook.constructor.name === 'AsyncFunction' && refused(hook.length)) return hook;
  return wrapLayer(hook, labelOf(phase, hook));
}

export function isFunction(value: unknown): value is AnyFunction {
  return typeof value === 'function';
}

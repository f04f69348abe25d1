import type { EventEmitter } from 'node:events';
import { functionLocation } from '@hangwatch/async-hooks-helpers';
import type { IncomingRequest, OutgoingResponse } from './http-messages.ts';

type AnyFunction = (...args: never[]) => unknown;

/** What Node's HTTP/1.1 server has listen to a connection and a response of its own, by event. */
const NODES_OWN: Readonly<Record<string, readonly string[]>> = {
  finish: ['resOnFinish'],
  close: ['socketOnClose', 'onServerResponseClose', 'abortServerOnClose'],
  drain: ['socketOnDrain', 'ondrain'],
  end: ['socketOnEnd', 'onReadableStreamEnd'],
  data: ['socketOnData'],
  error: ['socketOnError'],
  timeout: ['socketOnTimeout'],
  resume: ['onSocketResume'],
  pause: ['onSocketPause'],
};
/** Names of hangwatch's own begin so. */
const OWN_NAME = /^hangwatch/;
const ON_FINISHED = /[\\/]node_modules[\\/](?:.*[\\/])?(?:on-finished|ee-first)[\\/]/;

/**
 * The event of an exchange that somebody else than Node, hangwatch and the framework listens to: its client leaving, say, may run code of the
 * application's. `undefined`: nobody does. Of HTTP/2, whose own listeners are others, nothing is known.
 *
 * @param ofFramework how many times the framework itself waits for the response's end by on-finished: Koa does, once
 */
export function endListener(
  request: IncomingRequest,
  response: OutgoingResponse,
  ofFramework: number,
): string | undefined {
  const { length } = onFinishedQueue(response);
  if (length > ofFramework || onFinishedQueue(request).length > 0) return 'finish';
  for (const emitter of [response, request, request.socket] as (EventEmitter | undefined)[]) {
    if (emitter === undefined || emitter === null) continue;
    for (const event of emitter.eventNames()) {
      for (const listener of emitter.rawListeners(event)) {
        if (!isKnown(String(event), bareFunction(listener))) return String(event);
      }
    }
  }
  return undefined;
}

/** The function that `once` was given. */
function bareFunction(listener: unknown): AnyFunction {
  const inner: unknown = Reflect.get(listener as object, 'listener');
  return (typeof inner === 'function' ? inner : listener) as AnyFunction;
}

function isKnown(event: string, listener: AnyFunction): boolean {
  const name = listener.name.replace(/^bound /, '');
  if (OWN_NAME.test(name)) return true;
  // Of bound functions no place is known.
  if (NODES_OWN[event]?.includes(name) === true)
    return (functionLocation(listener)?.file ?? 'node:').startsWith('node:');
  // Whom these tell is in their queue, which has been looked at.
  return ON_FINISHED.test(functionLocation(listener)?.file ?? '');
}

/** Those who wait for the end of a message by on-finished, which keeps them in a list of its own. */
function onFinishedQueue(message: object): readonly unknown[] {
  const kept: unknown = Reflect.get(message, '__onFinished');
  const queue: unknown = typeof kept === 'function' ? Reflect.get(kept, 'queue') : undefined;
  return Array.isArray(queue) ? queue : [];
}

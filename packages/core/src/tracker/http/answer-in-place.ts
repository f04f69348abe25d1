import { STATUS_CODES } from 'node:http';
import type { IncomingRequest, OutgoingResponse } from './http-messages.ts';

/** Headers that the application has set for another body, or for a success that there will not be. */
const OF_THE_OTHER_ANSWER =
  /^(content-|transfer-encoding$|trailer$|etag$|last-modified$|accept-ranges$|cache-control$|expires$|age$|set-cookie$|location$|connection$|keep-alive$)/;

interface Methods {
  writeHead(...args: unknown[]): unknown;
  end(body: string): unknown;
  removeHeader(name: string): void;
}

/**
 * Answers in a stuck request's place, once: not where headers are out, or the response is over. Afterwards the response takes no more: the
 * application's own late answer neither reaches the client nor throws, for this response alone.
 *
 * @returns whether it has answered
 */
export function answerInPlace(request: IncomingRequest, response: OutgoingResponse, status: number): boolean {
  if (response.headersSent || response.writableEnded || response.destroyed) return false;
  // Middleware (sessions, compression) exchanges these on the response itself, and may be what is stuck: the class's own are called.
  const methods = Object.getPrototypeOf(response) as Methods;
  const reason = STATUS_CODES[status] ?? 'Error';
  const body = `${reason}\n`;
  for (const name of response.getHeaderNames()) {
    if (OF_THE_OTHER_ANSWER.test(name)) Reflect.apply(methods.removeHeader, response, [name]);
  }
  const headers = {
    'content-type': 'text/plain; charset=utf-8',
    'content-length': String(body.length),
    'cache-control': 'no-store',
  };
  if (request.httpVersionMajor >= 2) Reflect.apply(methods.writeHead, response, [status, headers]);
  // Frameworks destroy the socket of a request that fails after its answer: nobody else's may come on it.
  else Reflect.apply(methods.writeHead, response, [status, reason, { ...headers, connection: 'close' }]);
  Reflect.apply(methods.end, response, [body]);
  takeNoMore(response);
  return true;
}

const ignore = (): undefined => undefined;

/** `write(chunk, encoding?, callback?)` and `end` alike: who waits for the callback goes on. */
function swallow<T>(result: (response: OutgoingResponse) => T) {
  return function (this: OutgoingResponse, ...args: unknown[]): T {
    const callback = args.find((each) => typeof each === 'function');
    if (callback !== undefined) process.nextTick(callback as () => void);
    return result(this);
  };
}

const itself = (response: OutgoingResponse): OutgoingResponse => response;
const REPLACEMENTS: Readonly<Record<string, unknown>> = {
  setHeader: swallow(itself),
  setHeaders: swallow(itself),
  appendHeader: swallow(itself),
  writeHead: swallow(itself),
  end: swallow(itself),
  write: swallow(() => true),
  removeHeader: ignore,
  addTrailers: ignore,
  flushHeaders: ignore,
  writeContinue: ignore,
  writeProcessing: ignore,
  writeEarlyHints: swallow(ignore),
};

/** Setting a header throws once headers are out, and a write after the end is an error event that ends the process. */
function takeNoMore(response: OutgoingResponse): void {
  response.on('error', ignore);
  for (const [name, value] of Object.entries(REPLACEMENTS)) {
    if (name in response) Object.defineProperty(response, name, { value, configurable: true, writable: true });
  }
}

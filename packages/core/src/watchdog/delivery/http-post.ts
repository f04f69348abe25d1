import type { LookupFunction } from 'node:net';
import type { Dispatcher } from 'undici';
import type { Clock } from './clock.ts';
import { loadUndici } from './load-undici.ts';
import { type Answer, outcomeOf, type PostOutcome } from './post-outcome.ts';

const CONNECT_MS = 5_000;
const MAX_ANSWER_BYTES = 4_096;

/** One post. */
export interface PostRequest {
  readonly url: URL;
  readonly headers: Readonly<Record<string, string>>;
  readonly body: Buffer;
  /** Longest time for all of it: connection, upload, answer. */
  readonly limitMs: number;
}

/** What an {@link HttpPost} needs. */
export interface HttpPostOptions {
  readonly clock: Clock;
  readonly lookup: LookupFunction;
  /** Whether the environment names a proxy. */
  readonly proxied: boolean;
}

/**
 * Posts over connections of its own: never the process's global dispatcher, never its agents. Proxy variables
 * (HTTP_PROXY, HTTPS_PROXY, NO_PROXY) are honoured as undici's EnvHttpProxyAgent does. Redirects are not followed.
 */
export class HttpPost {
  readonly #options: HttpPostOptions;
  readonly #underWay = new Set<(reason: string) => void>();
  #dispatcher: Dispatcher | undefined;
  #closed = false;

  constructor(options: HttpPostOptions) {
    this.#options = options;
  }

  /** Loads undici now: a process that has run out of file descriptors can't load it any more. @throws if it is not installed */
  warmUp(): void {
    this.#open();
  }

  /** Posts once. Never rejects: what goes wrong is an outcome. */
  post(request: PostRequest): Promise<PostOutcome> {
    if (this.#closed) return Promise.resolve(failed('closed'));
    return new Promise((resolve) => {
      const { clock } = this.#options;
      let abort: ((error: Error) => void) | undefined;
      let stopped: Error | undefined;
      const finish = (outcome: PostOutcome) => {
        clock.clearTimeout(timer);
        this.#underWay.delete(stop);
        resolve(outcome);
      };
      const stop = (reason: string) => {
        finish(failed(reason));
        stopped = new Error(reason);
        abort?.(stopped);
      };
      const timer = clock.setTimeout(() => stop(`no answer in ${request.limitMs} ms`), request.limitMs);
      this.#underWay.add(stop);
      try {
        this.#open().dispatch(
          {
            origin: request.url.origin,
            path: request.url.pathname + request.url.search,
            method: 'POST',
            headers: request.headers,
            body: request.body,
            headersTimeout: request.limitMs,
            bodyTimeout: request.limitMs,
          },
          readAnswer({
            onStart: (stopRequest) => {
              abort = stopRequest;
              // Stopped while it waited for a connection: nobody waits for it any more.
              if (stopped) abort(stopped);
            },
            onAnswer: (answer) => finish(outcomeOf(answer, clock.wallNow())),
            onError: (error) => finish(failed(reasonOf(error))),
          }),
        );
      } catch (error) {
        finish(failed(reasonOf(error)));
      }
    });
  }

  /** Ends what is under way, as failed, and closes the connections. */
  close(): void {
    this.#closed = true;
    for (const stop of [...this.#underWay]) stop('closing');
    // Nobody waits for the sockets' end: it may never come, and the thread is about to stop.
    this.#dispatcher?.destroy(null).catch(() => undefined);
    this.#dispatcher = undefined;
  }

  #open(): Dispatcher {
    if (!this.#dispatcher) {
      const connect = { lookup: this.#options.lookup, timeout: CONNECT_MS };
      this.#dispatcher = loadUndici(this.#options.proxied)({
        connect,
        // The connection to a proxy is set up apart from `connect`.
        proxyTls: connect,
        connections: 2,
        pipelining: 1,
        keepAliveTimeout: 1_000,
        keepAliveMaxTimeout: 5_000,
        maxHeaderSize: 16_384,
      });
    }
    return this.#dispatcher;
  }
}

interface AnswerEvents {
  onStart(abort: (error: Error) => void): void;
  onAnswer(answer: Answer): void;
  onError(error: Error): void;
}

/** Reads status, Retry-After and the beginning of the body; of an endless body no more than that. */
function readAnswer(events: AnswerEvents): Dispatcher.DispatchHandler {
  let status = 0;
  let retryAfter: string | undefined;
  const chunks: Buffer[] = [];
  let bytes = 0;
  const answer = (): Answer => ({
    status,
    retryAfter,
    text: Buffer.concat(chunks).toString('utf8', 0, Math.min(bytes, MAX_ANSWER_BYTES)),
  });
  return {
    onRequestStart: (controller) => events.onStart((error) => controller.abort(error)),
    onRequestUpgrade: (controller) => controller.abort(new Error('answered with an upgrade')),
    onResponseStart(_controller, statusCode, headers) {
      status = statusCode;
      const header = headers['retry-after'];
      retryAfter = Array.isArray(header) ? header[0] : header;
    },
    onResponseData(controller, chunk) {
      chunks.push(chunk);
      bytes += chunk.length;
      if (bytes < MAX_ANSWER_BYTES) return;
      events.onAnswer(answer());
      controller.abort(new Error('answer longer than needed'));
    },
    onResponseEnd: () => events.onAnswer(answer()),
    onResponseError: (_controller, error) => events.onError(error),
  };
}

function failed(reason: string): PostOutcome {
  return { kind: 'failed', status: undefined, reason };
}

/** One line that names the cause; an AggregateError (several addresses tried) has no message of its own. */
function reasonOf(error: unknown): string {
  if (error instanceof AggregateError) return error.errors.map(reasonOf).join('; ');
  if (!(error instanceof Error)) return String(error);
  const { code } = error as NodeJS.ErrnoException;
  const message = error.message === '' ? error.name : error.message;
  return code === undefined || message.includes(code) ? message : `${code}: ${message}`;
}

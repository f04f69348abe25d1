import type { ClientEvidence } from '../../shared/worker-protocol.ts';
import { pathOf, type Rules } from '../options/rules.ts';
import type { RequestRecord } from '../request-record.ts';
import type { CutOffBy, Subject } from '../subject.ts';
import { answerInPlace } from './answer-in-place.ts';
import { BodyBytes } from './body-bytes.ts';
import { type ByteCounters, byteCounters, isHttp2 } from './byte-counters.ts';
import { clientEvidence } from './client-evidence.ts';
import { endListener } from './end-listeners.ts';
import type { IncomingRequest, OutgoingResponse } from './http-messages.ts';
import { isEventStream, isUpgraded } from './open-ended.ts';
import { maskPath } from './path-mask.ts';
import { stampRequest } from './request-stamp.ts';
import { isAbout } from './timeout-order.ts';
import { wasSent } from './was-sent.ts';

/** Answers with which somebody else's time-out ends a request whose handler still waits. */
const TIMEOUT_ANSWERS: readonly number[] = [408, 503, 504];
const LONGEST_ID = 128;

/** A request of Node's servers, with its response and the bytes of its connection. */
export class HttpSubject implements Subject {
  readonly #request: IncomingRequest;
  readonly #response: OutgoingResponse;
  #isEventStream: boolean | undefined;
  #bytes: ByteCounters | undefined = undefined;
  /** Counts the request's body, where one was announced. */
  #body: BodyBytes | undefined = undefined;
  bytesMovedMs = 0;

  constructor(request: IncomingRequest, response: OutgoingResponse) {
    this.#request = request;
    this.#response = response;
  }

  get method(): string {
    return this.#request.method ?? '';
  }

  get path(): string {
    return pathOf(this.#request);
  }

  /** Express rewrites `url` below a mount point and keeps what came in `originalUrl`. */
  get shownPath(): string {
    const { originalUrl } = this.#request as { originalUrl?: unknown };
    return maskPath(typeof originalUrl === 'string' ? originalUrl : (this.#request.url ?? ''));
  }

  get requestId(): string | undefined {
    return identifier(this.#request.headers['x-request-id']);
  }

  get traceId(): string | undefined {
    return traceId(this.#request.headers['traceparent']);
  }

  entered(record: RequestRecord): void {
    const request = this.#request;
    this.bytesMovedMs = record.owner.clock[0] as number;
    stampRequest(request, record);
    if (isHttp2(request)) this.#bytes = byteCounters(request);
    this.#body = BodyBytes.of(request);
  }

  nameBy({ routeName }: Rules): string | undefined {
    const name: unknown = routeName?.(this.#request);
    return typeof name === 'string' && name !== '' ? name : undefined;
  }

  isIgnoredBy(rules: Rules): boolean {
    return rules.ignores(this.#request);
  }

  isOpenEnded(): boolean {
    if (isUpgraded(this.#request, this.#response)) return true;
    // Asked at each sample: headers that are sent are read once.
    if (this.#isEventStream === undefined && this.#response.headersSent)
      this.#isEventStream = isEventStream(this.#response);
    return this.#isEventStream === true;
  }

  /** A connection that ended without the response's `close`: some servers' made-up responses never emit it. */
  isLost(): boolean {
    return this.#request.socket?.destroyed === true;
  }

  howEnded(): boolean | undefined {
    const response = this.#response;
    return response.destroyed || response.writableFinished ? wasSent(response) : undefined;
  }

  bytesMoved(nowMs: number): boolean {
    this.#bytes ??= byteCounters(this.#request);
    if (!this.#bytes.moved()) return false;
    this.bytesMovedMs = nowMs;
    return true;
  }

  client(nowMs: number): ClientEvidence {
    return clientEvidence(this.#request, this.#response, this.#body, nowMs, this.bytesMovedMs);
  }

  listenedEvent(ofFramework: number): string | undefined {
    try {
      return endListener(this.#request, this.#response, ofFramework);
    } catch {
      // A request that somebody else has made up.
      return 'unknown';
    }
  }

  cutOff(finished: boolean, elapsedMs: number, rules: Rules): CutOffBy | undefined {
    if (!finished) return { how: closedBy(rules, elapsedMs) };
    const { statusCode } = this.#response;
    if (!TIMEOUT_ANSWERS.includes(statusCode)) return undefined;
    const { timedout } = this.#request as { timedout?: unknown };
    const who = timedout === true ? ' by connect-timeout' : '';
    return {
      how: `was answered ${statusCode}${who} while its handler was still waiting`,
      timeout: timedout === true ? 'connect-timeout' : `a time-out that answers ${statusCode}`,
    };
  }

  answer(status: number, sent: () => void): boolean {
    const response = this.#response;
    // What `sent` sets off may close the connection: first the answer has to be out.
    response.once('finish', sent);
    let answered = false;
    try {
      answered = answerInPlace(this.#request, response, status);
    } finally {
      if (!answered) response.off('finish', sent);
    }
    return answered;
  }
}

/** A server's own time-out that would have struck about now is named. */
function closedBy({ serverTimeouts }: Rules, elapsedMs: number): string {
  const struck = serverTimeouts.find((each) => isAbout(each, elapsedMs));
  return struck === undefined
    ? 'was left by its client, or cut off on the way'
    : `was left by its client, or cut off by ${struck.name} (${struck.ms} ms)`;
}

function identifier(value: string | string[] | undefined): string | undefined {
  const text = Array.isArray(value) ? value[0] : value;
  return text !== undefined && /^[\w.:/+=-]+$/.test(text) ? text.slice(0, LONGEST_ID) : undefined;
}

/** The trace id of a W3C `traceparent`. https://www.w3.org/TR/trace-context/#traceparent-header */
function traceId(value: string | string[] | undefined): string | undefined {
  const text = Array.isArray(value) ? value[0] : value;
  return /^[0-9a-f]{2}-([0-9a-f]{32})-[0-9a-f]{16}-[0-9a-f]{2}/.exec(text ?? '')?.[1];
}

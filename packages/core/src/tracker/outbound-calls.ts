import diagnosticsChannel from 'node:diagnostics_channel';
import type { DumpWait } from '@hangwatch/protocol';
import { clockSince } from '../shared/slot-layout.ts';
import { maskPath } from './path-mask.ts';
import type { RequestRecord } from './request-record.ts';

/** An outbound HTTP call that a request has begun and that has not ended: an intrusive list in the request's record. */
export interface OutboundCall {
  readonly record: RequestRecord;
  readonly label: string;
  readonly sinceClock: number;
  stage: 'no response headers' | 'no end of the response body';
  previous: OutboundCall | undefined;
  next: OutboundCall | undefined;
}

/** Calls shown of one request, the newest. */
const MAX_WAITS = 100;

interface UndiciMessage {
  readonly request: { readonly method: string; readonly origin: string | URL; readonly path: string };
}
interface HttpMessage {
  readonly request: {
    readonly method: string;
    readonly protocol: string;
    readonly host: string;
    readonly path: string;
    getHeader(name: string): unknown;
  };
}

/**
 * Watches the HTTP calls that requests make, through the channels that Node's http client and undici (and so `fetch`) publish.
 * Costs nothing where no call is made.
 *
 * @see https://nodejs.org/api/diagnostics_channel.html#built-in-channels
 * @see https://github.com/nodejs/undici/blob/main/docs/docs/api/DiagnosticsChannel.md
 */
export class OutboundCalls {
  readonly #calls = new WeakMap<object, OutboundCall>();
  readonly #current: () => RequestRecord | undefined;
  readonly #subscriptions: [string, (message: unknown) => void][];

  constructor(current: () => RequestRecord | undefined) {
    this.#current = current;
    this.#subscriptions = [
      ['undici:request:create', quietly((m) => this.#begin(m, undiciLabel))],
      ['undici:request:headers', quietly((m) => this.#headers(m))],
      ['undici:request:trailers', quietly((m) => this.#end(m))],
      ['undici:request:error', quietly((m) => this.#end(m))],
      ['http.client.request.start', quietly((m) => this.#begin(m, httpLabel))],
      ['http.client.response.finish', quietly((m) => this.#end(m))],
      ['http.client.request.error', quietly((m) => this.#end(m))],
    ];
    for (const [channel, listener] of this.#subscriptions) diagnosticsChannel.subscribe(channel, listener);
  }

  stop(): void {
    for (const [channel, listener] of this.#subscriptions) diagnosticsChannel.unsubscribe(channel, listener);
  }

  #begin<M extends { request: object }>(message: unknown, label: (message: M) => string): void {
    const record = this.#current();
    if (record === undefined || record.slot === undefined) return;
    const typed = message as M;
    const call: OutboundCall = {
      record,
      label: label(typed),
      sinceClock: record.owner.clock[0] ?? 0,
      stage: 'no response headers',
      previous: undefined,
      next: record.outbound,
    };
    if (record.outbound !== undefined) record.outbound.previous = call;
    record.outbound = call;
    this.#calls.set(typed.request, call);
  }

  #headers(message: unknown): void {
    const call = this.#calls.get((message as UndiciMessage).request);
    if (call !== undefined) call.stage = 'no end of the response body';
  }

  #end(message: unknown): void {
    const { request } = message as { request: object };
    const call = this.#calls.get(request);
    if (call === undefined) return;
    this.#calls.delete(request);
    const { record, previous, next } = call;
    if (previous !== undefined) previous.next = next;
    else if (record.outbound === call) record.outbound = next;
    if (next !== undefined) next.previous = previous;
    record.outboundFinished();
  }
}

/** The outbound calls that the request still waits for, oldest first. */
export function outboundWaits(record: RequestRecord): DumpWait[] {
  const nowMs = record.owner.clock[0] ?? 0;
  const waits: DumpWait[] = [];
  for (let call = record.outbound; call !== undefined && waits.length < MAX_WAITS; call = call.next) {
    waits.push({ type: 'http', label: `${call.label}, ${call.stage}`, sinceMs: clockSince(nowMs, call.sinceClock) });
  }
  return waits.reverse();
}

/** What a subscriber throws becomes an uncaught exception of the application's: a call that cannot be read is not shown. */
function quietly(listener: (message: unknown) => void): (message: unknown) => void {
  return (message) => {
    try {
      listener(message);
    } catch {
      return;
    }
  };
}

const undiciLabel = ({ request }: UndiciMessage): string =>
  `${request.method} ${withoutCredentials(String(request.origin))}${maskPath(String(request.path))}`;

const httpLabel = ({ request }: HttpMessage): string => {
  const host = request.getHeader('host');
  return `${request.method} ${request.protocol}//${typeof host === 'string' ? host : request.host}${maskPath(String(request.path))}`;
};

const withoutCredentials = (origin: string): string => origin.replace(/\/\/[^/]*@/, '//');

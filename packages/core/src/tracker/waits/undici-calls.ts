import { AsyncResource } from 'node:async_hooks';
import type { Socket } from 'node:net';
import type { RequestRecord } from '../request-record.ts';
import { stampCall, stampOf } from './call-stamp.ts';
import type { ChannelSubscriptions } from './channel-subscriptions.ts';
import { madeByQueue } from './made-by-queue.ts';
import { OpeningConnections } from './opening-connections.ts';
import { OutboundWait } from './outbound-wait.ts';
import type { CurrentRecord } from './traced-calls.ts';
import { urlText } from './url-text.ts';

/** undici's own request object, as far as it is read. */
interface UndiciRequest {
  readonly method: string;
  readonly origin: string | URL;
  readonly path: string;
  readonly completed?: boolean;
  readonly aborted?: boolean;
}
interface Message {
  readonly request: UndiciRequest;
}
interface ConnectMessage {
  readonly connectParams: {
    readonly host: string;
    readonly hostname: string;
    readonly port: string;
    readonly protocol: string;
  };
}

class UndiciCall extends OutboundWait {
  readonly type = 'http';
  readonly #request: UndiciRequest;
  readonly #opening: OpeningConnections;
  #socket: Socket | undefined;
  #bytesBefore = 0;
  #headers = false;

  constructor(record: RequestRecord, request: UndiciRequest, opening: OpeningConnections) {
    super(record);
    this.#request = request;
    this.#opening = opening;
  }

  sent(socket: Socket | undefined): void {
    this.#socket = socket;
    this.#bytesBefore = socket?.bytesRead ?? 0;
  }

  responded(): void {
    this.#headers = true;
    this.record.outboundFinished();
  }

  override over(): boolean {
    return this.#request.completed === true || this.#request.aborted === true;
  }

  label(): string {
    const { method, origin, path } = this.#request;
    return `${method} ${urlText(String(origin), String(path))}, ${this.#stage()}`;
  }

  #stage(): string {
    if (this.#headers) {
      const bytes = this.#socket === undefined ? 0 : this.#socket.bytesRead - this.#bytesBefore;
      return `response headers, no end of the response body${bytes > 0 ? ` (${bytes} bytes so far)` : ''}`;
    }
    if (this.#socket !== undefined) return 'sent, no response headers';
    // Whether that one is for this call, undici does not tell.
    const where = this.#opening.to(originKey(this.#request.origin));
    return `waiting for a connection${where === undefined ? '' : `; one to ${where} is being opened`}`;
  }
}

/**
 * Calls of undici, and so of `fetch`.
 *
 * @see https://github.com/nodejs/undici/blob/main/docs/docs/api/DiagnosticsChannel.md
 */
export function watchUndiciCalls(
  subscriptions: ChannelSubscriptions,
  current: CurrentRecord,
  seen: (socket: object) => void,
): void {
  const opening = new OpeningConnections();
  /** Requests in whose context connections were opened: what such a connection does next may be for another request. */
  const openers = new WeakSet<RequestRecord>();

  const recordOf = (request: UndiciRequest): RequestRecord | undefined => {
    const handler = handlerOf(request);
    // undici's own methods carry their caller's context through a pool's queue.
    if (handler instanceof AsyncResource) return handler.runInAsyncScope(current);
    const record = current();
    // `fetch` does not: out of the queue it comes in the context of the connection that has become free.
    return record !== undefined && openers.has(record) && madeByQueue() ? undefined : record;
  };
  const end = ({ request }: Message) => {
    const call = stampOf(request);
    if (call === undefined) return;
    call.end();
    stampCall(request, undefined);
  };
  const connected = ({ connectParams }: ConnectMessage) => {
    opening.end(originKey(`${connectParams.protocol}//${connectParams.host}`));
  };

  subscriptions.on<Message>('undici:request:create', ({ request }) => {
    const record = recordOf(request);
    if (record !== undefined) stampCall(request, new UndiciCall(record, request, opening));
  });
  subscriptions.on<Message & { socket?: Socket }>('undici:client:sendHeaders', ({ request, socket }) => {
    if (socket !== undefined) seen(socket);
    const call = stampOf(request);
    if (call instanceof UndiciCall) call.sent(socket);
  });
  subscriptions.on<Message>('undici:request:headers', ({ request }) => {
    const call = stampOf(request);
    if (call instanceof UndiciCall) call.responded();
  });
  subscriptions.on<Message>('undici:request:trailers', end);
  subscriptions.on<Message>('undici:request:error', end);
  subscriptions.on<ConnectMessage>('undici:client:beforeConnect', ({ connectParams }) => {
    const record = current();
    if (record !== undefined) openers.add(record);
    const { protocol, host, hostname, port } = connectParams;
    opening.begin(originKey(`${protocol}//${host}`), addressText(protocol, hostname, port));
  });
  subscriptions.on<ConnectMessage>('undici:client:connected', connected);
  subscriptions.on<ConnectMessage>('undici:client:connectError', connected);
}

function addressText(protocol: string, hostname: string, port: string): string {
  return `${hostname}:${port === '' ? (protocol === 'https:' ? '443' : '80') : port}`;
}

function originKey(origin: string | URL): string {
  try {
    return (origin instanceof URL ? origin : new URL(origin)).origin;
  } catch {
    return String(origin);
  }
}

/** The symbol under which each copy of undici (Node's own, npm's) keeps what is told of a request's progress. */
const handlerSymbols = new WeakMap<object, symbol | false>();

function handlerOf(request: UndiciRequest): unknown {
  const copy = request.constructor;
  let symbol = handlerSymbols.get(copy);
  if (symbol === undefined) {
    symbol = Object.getOwnPropertySymbols(request).find(({ description }) => description === 'handler') ?? false;
    handlerSymbols.set(copy, symbol);
  }
  return symbol === false ? undefined : Reflect.get(request, symbol);
}

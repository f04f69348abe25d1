import { AsyncResource } from 'node:async_hooks';
import type { Socket } from 'node:net';
import type { RequestRecord } from '../request-record.ts';
import { stampCall, stampOf } from './call-stamp.ts';
import type { ChannelSubscriptions } from './channel-subscriptions.ts';
import { madeByQueue } from './made-by-queue.ts';
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

/** Connections that undici is opening, by origin: how many, and where to. */
type Connecting = Map<string, { count: number; readonly where: string }>;

class UndiciCall extends OutboundWait {
  readonly type = 'http';
  readonly #request: UndiciRequest;
  readonly #connecting: Connecting;
  #socket: Socket | undefined;
  #bytesBefore = 0;
  #headers = false;

  constructor(record: RequestRecord, request: UndiciRequest, connecting: Connecting) {
    super(record);
    this.#request = request;
    this.#connecting = connecting;
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
    const where = this.#connecting.get(originKey(this.#request.origin))?.where;
    return where === undefined ? 'waiting for a connection' : where;
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
  const connecting: Connecting = new Map();
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
    const key = originKey(`${connectParams.protocol}//${connectParams.host}`);
    const entry = connecting.get(key);
    if (entry !== undefined && --entry.count <= 0) connecting.delete(key);
  };

  subscriptions.on<Message>('undici:request:create', ({ request }) => {
    const record = recordOf(request);
    if (record !== undefined) stampCall(request, new UndiciCall(record, request, connecting));
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
    const key = originKey(`${protocol}//${host}`);
    const entry = connecting.get(key);
    if (entry !== undefined) entry.count += 1;
    else connecting.set(key, { count: 1, where: connectText(protocol, hostname, port) });
  });
  subscriptions.on<ConnectMessage>('undici:client:connected', connected);
  subscriptions.on<ConnectMessage>('undici:client:connectError', connected);
}

function connectText(protocol: string, hostname: string, port: string): string {
  const tls = protocol === 'https:';
  const where = `${hostname}:${port === '' ? (tls ? '443' : '80') : port}`;
  return tls ? `connect or TLS handshake with ${where}, no answer` : `connect ${where}, no answer`;
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

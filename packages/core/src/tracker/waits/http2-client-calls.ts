import type { ClientHttp2Stream } from 'node:http2';
import type { RequestRecord } from '../request-record.ts';
import { stampCall, stampOf } from './call-stamp.ts';
import type { ChannelSubscriptions } from './channel-subscriptions.ts';
import { OutboundWait } from './outbound-wait.ts';
import type { CurrentRecord } from './traced-calls.ts';
import { urlText } from './url-text.ts';

interface Created {
  readonly stream: ClientHttp2Stream;
  readonly headers: Readonly<Record<string, unknown>>;
}

class Http2ClientCall extends OutboundWait {
  readonly type = 'http';
  readonly #call: Created;
  #responded = false;

  constructor(record: RequestRecord, call: Created) {
    super(record);
    this.#call = call;
  }

  responded(): void {
    this.#responded = true;
    this.record.outboundFinished();
  }

  override over(): boolean {
    return this.#call.stream.closed || this.#call.stream.destroyed;
  }

  label(): string {
    const { headers, stream } = this.#call;
    const text = (name: string, otherwise: string) => {
      const value = headers[name];
      return typeof value === 'string' ? value : otherwise;
    };
    const origin = `${text(':scheme', 'https')}://${text(':authority', '(not known)')}`;
    const stage = stream.pending
      ? 'waiting for a connection'
      : this.#responded
        ? 'response headers, no end of the response body'
        : 'sent, no response headers';
    return `${text(':method', 'GET')} ${urlText(origin, text(':path', '/'))}, ${stage}`;
  }
}

/** Streams of Node's http2 client: Node 22 and later tell of them. */
export function watchHttp2ClientCalls(subscriptions: ChannelSubscriptions, current: CurrentRecord): void {
  subscriptions.on<Created>('http2.client.stream.created', (call) => {
    const record = current();
    if (record !== undefined) stampCall(call.stream, new Http2ClientCall(record, call));
  });
  subscriptions.on<Created>('http2.client.stream.finish', ({ stream }) => {
    const call = stampOf(stream);
    if (call instanceof Http2ClientCall) call.responded();
  });
  subscriptions.on<Created>('http2.client.stream.close', ({ stream }) => stampOf(stream)?.end());
}

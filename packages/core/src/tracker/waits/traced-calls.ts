import type { OutboundType } from '../../shared/outbound-types.ts';
import type { RequestRecord } from '../request-record.ts';
import { stampCall, stampOf } from './call-stamp.ts';
import type { ChannelSubscriptions } from './channel-subscriptions.ts';
import { OutboundWait } from './outbound-wait.ts';

/** The request whose context the code runs in, while it is in flight. */
export type CurrentRecord = () => RequestRecord | undefined;

/** A kind of call that a library or Node itself traces. */
export interface TracedKind<M> {
  readonly type: OutboundType;
  /** What a dump says of it, from the context that the tracing channel publishes. */
  readonly label: (context: M) => string;
}

class TracedCall<M> extends OutboundWait {
  readonly type: OutboundType;
  readonly #kind: TracedKind<M>;
  readonly #context: M;

  constructor(record: RequestRecord, kind: TracedKind<M>, context: M) {
    super(record);
    this.type = kind.type;
    this.#kind = kind;
    this.#context = context;
  }

  label(): string {
    return this.#kind.label(this.#context);
  }
}

/**
 * Calls published on a tracing channel: begun with `start` in the caller's context, over with `asyncStart` (the promise has settled, the
 * callback is called) or, when they throw, with `error`.
 *
 * @see https://nodejs.org/api/diagnostics_channel.html#class-tracingchannel
 */
export function watchTracedCalls<M extends object>(
  channel: string,
  kind: TracedKind<M>,
  subscriptions: ChannelSubscriptions,
  current: CurrentRecord,
): void {
  const end = (context: M) => {
    const call = stampOf(context);
    if (call === undefined) return;
    call.end();
    stampCall(context, undefined);
  };
  subscriptions.on<M>(`tracing:${channel}:start`, (context) => {
    const record = current();
    if (record !== undefined) stampCall(context, new TracedCall(record, kind, context));
  });
  subscriptions.on<M>(`tracing:${channel}:asyncStart`, end);
  subscriptions.on<M>(`tracing:${channel}:error`, end);
}

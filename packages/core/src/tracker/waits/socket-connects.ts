import type { Socket } from 'node:net';
import type { RequestRecord } from '../request-record.ts';
import type { ChannelSubscriptions } from './channel-subscriptions.ts';
import { OutboundWait } from './outbound-wait.ts';
import { type Attempt, socketStage } from './socket-stage.ts';
import type { CurrentRecord } from './traced-calls.ts';

const attempts = new WeakMap<object, Attempt>();

/** Where a socket was last told to connect to, if that was in a request's context. */
export const attemptOf = (socket: object): Attempt | undefined => attempts.get(socket);

/** A socket being connected, until it can be used. */
export class SocketConnect extends OutboundWait {
  readonly #socket: Socket;

  constructor(record: RequestRecord, socket: Socket) {
    super(record);
    this.#socket = socket;
  }

  get type(): 'dns' | 'connect' {
    return this.label().startsWith('DNS') ? 'dns' : 'connect';
  }

  override over(): boolean {
    return socketStage(this.#socket, attemptOf(this.#socket)) === undefined;
  }

  label(): string {
    return socketStage(this.#socket, attemptOf(this.#socket)) ?? 'connected';
  }
}

/**
 * One listener for all sockets: documented, asks nothing of the socket, and the only teller of the address once a name is resolved. Of several
 * addresses the last one counts: those before have refused, or have not answered for a while.
 */
function noteAttempt(this: Socket, address: unknown, port: unknown): void {
  attempts.set(this, { address: String(address), port: typeof port === 'number' ? port : undefined });
}

/** Connects of net and tls sockets. Node 20 tells of `net.connect` only; other sockets are found when a dump asks (`active-resources.ts`). */
export function watchSocketConnects(subscriptions: ChannelSubscriptions, current: CurrentRecord): void {
  subscriptions.on<{ socket: Socket }>('net.client.socket', ({ socket }) => {
    const record = current();
    if (record === undefined) return;
    socket.on('connectionAttempt', noteAttempt);
    new SocketConnect(record, socket);
  });
}

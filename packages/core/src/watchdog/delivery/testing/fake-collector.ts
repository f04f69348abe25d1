import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo, Socket } from 'node:net';
import { gunzipSync } from 'node:zlib';
import type { Dump } from '@hangwatch/protocol';

/** One request that a {@link FakeCollector} got, its body complete. */
export interface Received {
  readonly method: string;
  readonly url: string;
  readonly headers: IncomingMessage['headers'];
  readonly dump: Dump;
}

/** Answers one request. */
export type Answer = (response: ServerResponse, socket: Socket, received: Received) => void;

/** Answers with a status. */
export function status(code: number, headers: Record<string, string> = {}, body = '{}'): Answer {
  return (response) => response.writeHead(code, headers).end(body);
}

/** Never answers. */
export const silence: Answer = () => undefined;

/** A collector in this process, on 127.0.0.1; a test says how it answers. */
export class FakeCollector {
  answer: Answer = status(202);
  readonly received: Received[] = [];
  readonly #server = createServer((request, response) => this.#onRequest(request, response));
  readonly #sockets = new Set<Socket>();
  #waiting: { count: number; resolve: () => void }[] = [];
  #port = 0;

  constructor() {
    this.#server.on('connection', (socket) => {
      this.#sockets.add(socket);
      socket.on('close', () => this.#sockets.delete(socket));
      socket.on('error', () => undefined);
    });
  }

  get url(): string {
    return `http://127.0.0.1:${this.#port}`;
  }

  get ids(): string[] {
    return this.received.map(({ dump }) => dump.id);
  }

  /** Listens; the second time on the same port. */
  async listen(): Promise<this> {
    await new Promise<void>((resolve) => this.#server.listen(this.#port, '127.0.0.1', resolve));
    this.#port = (this.#server.address() as AddressInfo).port;
    return this;
  }

  async close(): Promise<void> {
    for (const socket of this.#sockets) socket.destroy();
    if (this.#server.listening) await new Promise((resolve) => this.#server.close(resolve));
  }

  /** Resolves when that many requests have come, in all. */
  requests(count: number): Promise<void> {
    if (this.received.length >= count) return Promise.resolve();
    return new Promise((resolve) => this.#waiting.push({ count, resolve }));
  }

  #onRequest(request: IncomingMessage, response: ServerResponse): void {
    const chunks: Buffer[] = [];
    request.on('data', (chunk: Buffer) => chunks.push(chunk));
    request.on('end', () => {
      const received = {
        method: request.method ?? '',
        url: request.url ?? '',
        headers: request.headers,
        dump: JSON.parse(gunzipSync(Buffer.concat(chunks)).toString()) as Dump,
      };
      this.received.push(received);
      this.answer(response, request.socket, received);
      for (const { resolve } of this.#waiting.filter(({ count }) => this.received.length >= count)) resolve();
    });
  }
}

import type { Http2ServerRequest } from 'node:http2';
import type { Socket } from 'node:net';
import type { IncomingRequest } from './http-messages.ts';

/** Watches the bytes of a request's connection from outside: nothing is added to their path. */
export interface ByteCounters {
  /** Whether bytes have come, or been taken by the client, since the last call. The first call only takes a first reading. */
  moved(): boolean;
}

/**
 * The byte counters of a request.
 *
 * HTTP/1.1 looks at the socket: one request at a time is on it. HTTP/2 shares a socket among requests, so there the stream's own chunks
 * are counted, through its `push` and `write`, which is why its counter must be made when the request enters.
 */
export function byteCounters(request: IncomingRequest): ByteCounters {
  if (isHttp2(request)) return new StreamBytes(request.stream);
  return new SocketBytes(request);
}

/** True for a request of HTTP/2's compatibility API. */
export function isHttp2(request: IncomingRequest): request is Http2ServerRequest {
  return request.httpVersionMajor >= 2;
}

/** Node's own test for progress of a long write, in `net.Socket`'s timeout: libuv's queue gets shorter. Absent in made-up sockets. */
interface Queueing {
  readonly _handle?: { readonly writeQueueSize?: unknown } | null;
}

class SocketBytes implements ByteCounters {
  readonly #request: IncomingRequest;
  #read = -1;
  #taken = -1;
  #queued = -1;

  constructor(request: IncomingRequest) {
    this.#request = request;
  }

  moved(): boolean {
    const socket = this.#request.socket as (Socket & Queueing) | null | undefined;
    // Injected requests (light-my-request, serverless adapters) have sockets that count nothing.
    const read = socket?.bytesRead ?? 0;
    // `bytesWritten` counts what was handed to the socket; a slow client takes it bit by bit, long after that.
    const taken = (socket?.bytesWritten ?? 0) - (socket?.writableLength ?? 0);
    const queue = socket?._handle?.writeQueueSize;
    const queued = typeof queue === 'number' ? queue : 0;
    const moved = read !== this.#read || taken !== this.#taken || queued !== this.#queued;
    const first = this.#read === -1;
    this.#read = read;
    this.#taken = taken;
    this.#queued = queued;
    return moved && !first;
  }
}

interface ChunkStream {
  push(chunk: unknown, encoding?: BufferEncoding): boolean;
  write(...args: unknown[]): boolean;
  readonly bufferSize: number;
}

class StreamBytes implements ByteCounters {
  readonly #stream: ChunkStream;
  #chunks = 0;
  #seen = -1;
  #buffered = 0;

  constructor(stream: unknown) {
    const target = stream as ChunkStream;
    this.#stream = target;
    const { push, write } = target;
    target.push = (chunk, encoding) => {
      this.#chunks += 1;
      return push.call(target, chunk, encoding);
    };
    target.write = (...args) => {
      this.#chunks += 1;
      return write.apply(target, args);
    };
  }

  moved(): boolean {
    const buffered = this.#stream.bufferSize;
    const moved = this.#chunks !== this.#seen || buffered !== this.#buffered;
    const first = this.#seen === -1;
    this.#seen = this.#chunks;
    this.#buffered = buffered;
    return moved && !first;
  }
}

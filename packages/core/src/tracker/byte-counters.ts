import type { Http2ServerRequest } from 'node:http2';
import type { IncomingRequest } from './http-messages.ts';

/** Bytes that a request's connection has carried, read from outside: nothing is added to the path of the bytes. */
export interface ByteCounters {
  /** Bytes received and sent so far, in one number that only grows. */
  total(): number;
}

/**
 * The byte counters of a request.
 *
 * HTTP/1.1 counts what the socket read and wrote: one request at a time is on it. HTTP/2 shares a socket among requests, so there
 * the stream's own chunks are counted, through its `push` and `write`, which is why its counter must be made when the request enters.
 */
export function byteCounters(request: IncomingRequest): ByteCounters {
  if (isHttp2(request)) return new StreamBytes(request.stream);
  return new SocketBytes(request);
}

/** True for a request of HTTP/2's compatibility API. */
export function isHttp2(request: IncomingRequest): request is Http2ServerRequest {
  return request.httpVersionMajor >= 2;
}

class SocketBytes implements ByteCounters {
  readonly #request: IncomingRequest;

  constructor(request: IncomingRequest) {
    this.#request = request;
  }

  total(): number {
    const { socket } = this.#request;
    // Injected requests (light-my-request, serverless adapters) have sockets that count nothing.
    if (socket === null || socket === undefined) return 0;
    return (socket.bytesRead ?? 0) + (socket.bytesWritten ?? 0);
  }
}

interface ChunkStream {
  push(chunk: unknown, encoding?: BufferEncoding): boolean;
  write(...args: unknown[]): boolean;
}

class StreamBytes implements ByteCounters {
  #chunks = 0;

  constructor(stream: unknown) {
    const target = stream as ChunkStream;
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

  total(): number {
    return this.#chunks;
  }
}

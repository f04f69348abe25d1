import { isHttp2 } from './byte-counters.ts';
import type { IncomingRequest } from './http-messages.ts';

type Push = (chunk: unknown, encoding?: BufferEncoding) => boolean;

/** Methods that come without a body, as a rule: their headers need not be read to know. */
const BODYLESS = new Set(['GET', 'HEAD', 'OPTIONS', 'TRACE', 'CONNECT']);

/**
 * Counts the bytes of a request's body as Node's parser hands them in. Nothing that Node keeps tells them: a socket's counters hold
 * headers and earlier requests too. Made when the request enters, and only for requests that announce a body.
 */
export class BodyBytes {
  /** Bytes that have come; `undefined` where counting began too late. */
  got: number | undefined;
  /** Bytes that `content-length` announces; `undefined` where it does not say. */
  readonly announced: number | undefined;

  private constructor(request: IncomingRequest, announced: number | undefined) {
    this.announced = announced;
    this.got = request.readableDidRead ? undefined : request.readableLength;
    const { push } = request as { push: Push };
    const count: Push = (chunk, encoding) => {
      if (this.got !== undefined && chunk !== null) this.got += sizeOf(chunk, encoding);
      return Reflect.apply(push, request, [chunk, encoding]) as boolean;
    };
    // Not enumerable: nobody who looks at the request should meet it.
    Object.defineProperty(request, 'push', { value: count, configurable: true, writable: true, enumerable: false });
  }

  /** A counter, where the request announces a body. */
  static of(request: IncomingRequest): BodyBytes | undefined {
    if (BODYLESS.has(request.method ?? '')) return undefined;
    const length = request.headers['content-length'];
    const announced = length === undefined ? undefined : Number(length);
    const comes = announced === undefined ? isHttp2(request) || 'transfer-encoding' in request.headers : announced > 0;
    return comes ? new BodyBytes(request, Number.isFinite(announced) ? announced : undefined) : undefined;
  }
}

function sizeOf(chunk: unknown, encoding: BufferEncoding | undefined): number {
  if (typeof chunk === 'string') return Buffer.byteLength(chunk, encoding);
  return ArrayBuffer.isView(chunk) ? chunk.byteLength : 0;
}

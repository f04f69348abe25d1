import type { IncomingMessage } from 'node:http';
import { promisify } from 'node:util';
import { gunzip as gunzipCallback } from 'node:zlib';
import { HangwatchCollectorError } from '../collector-error.ts';

const gunzip = promisify(gunzipCallback);

// A client that is answered while it still sends sees a reset connection rather than the answer: so much more of a body that is too large
// is read and thrown away before it gets its 413.
const PATIENCE = 4;

/** Sizes that {@link readBody} holds to. */
export interface BodyLimits {
  readonly bodyBytes: number;
  readonly decompressedBytes: number;
}

/**
 * Reads the body of a request: decompressed, within the limits, decoded as UTF-8. Never holds more than both limits together.
 *
 * @throws HangwatchCollectorError `HANGWATCH_ERR_TOO_LARGE`, `HANGWATCH_ERR_MEDIA_TYPE` for an encoding that is not accepted, `HANGWATCH_ERR_BODY`
 */
export async function readBody(request: IncomingMessage, limits: BodyLimits): Promise<string> {
  const encoding = (request.headers['content-encoding'] ?? 'identity').trim().toLowerCase();
  if (!['identity', 'gzip', 'x-gzip'].includes(encoding)) {
    throw new HangwatchCollectorError('HANGWATCH_ERR_MEDIA_TYPE', 'the content encoding must be gzip or identity');
  }
  const sent = await collect(request, limits.bodyBytes);
  return decode(encoding === 'identity' ? sent : await decompress(sent, limits.decompressedBytes));
}

async function collect(request: IncomingMessage, limit: number): Promise<Buffer> {
  const announced = Number(request.headers['content-length'] ?? 0);
  if (announced > limit * PATIENCE) throw tooLarge(limit);
  let chunks: Buffer[] = [];
  let bytes = 0;
  try {
    // Not destroyed on return: the socket has to carry the answer.
    for await (const chunk of request.iterator({ destroyOnReturn: false }) as AsyncIterable<Buffer>) {
      bytes += chunk.length;
      if (bytes <= limit) chunks.push(chunk);
      else chunks = [];
      if (bytes > limit * PATIENCE) break;
    }
  } catch (cause) {
    throw new HangwatchCollectorError('HANGWATCH_ERR_BODY', 'the body was cut off', { cause });
  }
  if (bytes > limit) throw tooLarge(limit);
  return Buffer.concat(chunks, bytes);
}

function tooLarge(limit: number): HangwatchCollectorError {
  return new HangwatchCollectorError('HANGWATCH_ERR_TOO_LARGE', `the body is larger than ${limit} bytes`);
}

async function decompress(sent: Buffer, limit: number): Promise<Buffer> {
  try {
    return await gunzip(sent, { maxOutputLength: limit });
  } catch (cause) {
    if (cause instanceof Error && 'code' in cause && cause.code === 'ERR_BUFFER_TOO_LARGE') {
      const message = `the body is larger than ${limit} bytes when decompressed`;
      throw new HangwatchCollectorError('HANGWATCH_ERR_TOO_LARGE', message, { cause });
    }
    throw new HangwatchCollectorError('HANGWATCH_ERR_BODY', 'the body is not gzip, or is cut off', { cause });
  }
}

function decode(bytes: Buffer): string {
  try {
    return new TextDecoder('utf-8', { fatal: true }).decode(bytes);
  } catch (cause) {
    throw new HangwatchCollectorError('HANGWATCH_ERR_BODY', 'the body is not UTF-8', { cause });
  }
}

import type { DumpWait } from '@hangwatch/protocol';
import { unreadText, uploadText } from '../../shared/byte-texts.ts';
import { clockSince } from '../../shared/slot-layout.ts';
import type { ClientEvidence } from '../../shared/worker-protocol.ts';
import type { BodyBytes } from './body-bytes.ts';
import { isHttp2 } from './byte-counters.ts';
import type { IncomingRequest, OutgoingResponse } from './http-messages.ts';

/** What the connection says: how far the response is, and what it waits for of the client. */
export function clientEvidence(
  request: IncomingRequest,
  response: OutgoingResponse,
  body: BodyBytes | undefined,
  nowMs: number,
  bytesMovedMs: number,
): ClientEvidence {
  return {
    begun: response.headersSent,
    answered: response.writableEnded,
    sinceMs: clockSince(nowMs, bytesMovedMs),
    ...(waitsForBody(request) ? { upload: { got: body?.got, announced: body?.announced } } : {}),
    unreadBytes: unreadBytes(request, response),
    ...(isHttp2(request) ? { unreadAtMost: true } : {}),
  };
}

/** What the request waits for of its client, as a dump shows it. */
export function clientWaits(client: ClientEvidence): DumpWait[] {
  const { upload, unreadBytes, sinceMs } = client;
  const waits: DumpWait[] = [];
  if (upload !== undefined) waits.push({ type: 'request-body', label: `${uploadText(upload)} have come`, sinceMs });
  if (unreadBytes > 0)
    waits.push({ type: 'client', label: `${unreadText(client)} of the response are not read`, sinceMs });
  return waits;
}

/** A body that has not come whole, and that somebody here reads: there is nothing left to read. A body that nobody reads waits for us. */
function waitsForBody(request: IncomingRequest): boolean {
  if (request.complete || request.readableLength > 0) return false;
  if (request.destroyed && !isCutOff(request)) return false;
  return request.readableFlowing === true || request.listenerCount('readable') > 0;
}

/** Its connection has just ended, before it had come whole: until then it was waited for. What an application destroys itself it does not wait for. */
function isCutOff({ errored }: IncomingRequest): boolean {
  return errored instanceof Error && 'code' in errored && errored.code === 'ECONNRESET';
}

/** Parts of a response and its socket that only say something of what is on its way. Absent in made-up ones. */
interface Queued {
  /** Bytes that wait for the headers, or for their turn. */
  readonly outputSize?: unknown;
}
interface QueuedSocket {
  /** Bytes that went to the operating system, or to libuv's queue for it. */
  readonly _bytesDispatched?: unknown;
  readonly _handle?: { readonly writeQueueSize?: unknown } | null;
}

/** Bytes of the response that were written here, and that the client has not taken: at most as many, over HTTP/2. */
function unreadBytes(request: IncomingRequest, response: OutgoingResponse): number {
  // Flow control is below what Node shows: a chunk counts whole until all of it has gone.
  if (isHttp2(request)) return request.stream.destroyed ? 0 : request.stream.writableLength;
  const { socket } = response;
  // Without a socket it waits for the response before it on the same connection; what is corked waits for us.
  if (socket === null || socket === undefined || socket.writableCorked > 0) return 0;
  const { outputSize } = response as Queued;
  const { _bytesDispatched: dispatched, _handle: handle } = socket as QueuedSocket;
  const queued = handle?.writeQueueSize;
  if (typeof outputSize !== 'number' || typeof dispatched !== 'number' || typeof queued !== 'number')
    return response.writableLength;
  return outputSize + Math.max(0, socket.bytesWritten - dispatched) + queued;
}

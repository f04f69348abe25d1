import { isHttp2 } from './byte-counters.ts';
import type { IncomingRequest, OutgoingResponse } from './http-messages.ts';

/** Silence is the normal state of an upgraded connection. */
export function isUpgraded(request: IncomingRequest, response: OutgoingResponse): boolean {
  if (response.statusCode === 101) return true;
  return (
    response.headersSent &&
    !isHttp2(request) &&
    request.headers.upgrade !== undefined &&
    request.headers.connection?.toLowerCase() === 'upgrade' &&
    response.socket === null
  );
}

/** And of an event stream; its headers have been sent. */
export function isEventStream(response: OutgoingResponse): boolean {
  return headerOf(response, 'content-type')?.startsWith('text/event-stream') === true;
}

/** `writeHead(200, headers)` does not show up in `getHeader`; what went over the wire does. */
function headerOf(response: OutgoingResponse, name: string): string | undefined {
  const set: unknown = response.getHeader(name);
  if (typeof set === 'string') return set.toLowerCase();
  const { _header: sent } = response as { _header?: unknown };
  if (typeof sent !== 'string') return undefined;
  const line = sent.split('\r\n').find((candidate) => candidate.toLowerCase().startsWith(`${name}:`));
  return line
    ?.slice(name.length + 1)
    .trim()
    .toLowerCase();
}

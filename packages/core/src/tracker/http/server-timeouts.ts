/** A time-out that ends requests, and what it is called where it is set. Milliseconds. */
export interface RequestTimeout {
  readonly name: string;
  readonly ms: number;
}

/** The longest that a scan may find a hang after its timeout, in scan intervals. */
export const DETECTION_SCANS = 1.25;

/**
 * The time-outs of a server of Node's that strike at requests in flight: `timeout` when a connection is silent (`connectionTimeout` in Fastify),
 * `requestTimeout` while a request is not received whole. `headersTimeout` ends before a request is there, `keepAliveTimeout` begins when it is over.
 * https://nodejs.org/api/http.html#class-httpserver
 */
export function timeoutsOf(server: unknown): RequestTimeout[] {
  const { timeout, requestTimeout } = Object(server) as { timeout?: unknown; requestTimeout?: unknown };
  return [
    { name: 'server.timeout', ms: timeout },
    { name: 'server.requestTimeout', ms: requestTimeout },
  ].filter((each): each is RequestTimeout => typeof each.ms === 'number' && each.ms > 0);
}

/**
 * What is wrong with the order, in a sentence; `undefined` where a hang is reported before the time-out strikes.
 *
 * @param route the route that has this timeout for itself
 */
export function wrongOrder(
  other: RequestTimeout,
  timeoutMs: number,
  scanIntervalMs: number,
  route?: string,
): string | undefined {
  if (timeoutMs + DETECTION_SCANS * scanIntervalMs < other.ms) return undefined;
  const better = Math.max(1, Math.floor(other.ms * 0.8));
  const whose = route === undefined ? '' : ` of ${route}`;
  return (
    `${other.name} is ${other.ms} ms and ends requests before hangwatch can report them as stuck (timeout ${timeoutMs} ms${whose}): ` +
    `set hangwatch's timeout to ${better} or less, or ${other.name} to more than ${Math.ceil(timeoutMs + DETECTION_SCANS * scanIntervalMs)}`
  );
}

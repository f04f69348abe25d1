import type { Dump, DumpRequest } from '@hangwatch/protocol';

/** Characters of JSON that a dump is sent with, at most. */
export const DUMP_CHARS = 4 * 1024 * 1024;
/** Requests at one place that are shown in full all the same. */
const SHOWN_AT_A_PLACE = 3;

/**
 * The JSON of a dump. One that is longer than `maxChars` loses what is least missed, as much of it as need be: what requests at one place have in common, then the stacks of
 * requests that merely are in flight, then the last requests, which are added to `suppressed.requests`. Its note says which.
 *
 * @throws what JSON.stringify throws, for a dump that is none
 */
export function fittingJson(dump: Dump, maxChars = DUMP_CHARS): string {
  let json = JSON.stringify(dump);
  if (json.length <= maxChars) return json;
  let fitted = withoutTwins(dump);
  json = JSON.stringify(fitted);
  if (json.length > maxChars) {
    fitted = withoutBystandersStacks(fitted);
    json = JSON.stringify(fitted);
  }
  const all = fitted;
  while (json.length > maxChars && fitted.requests.length > 0) {
    // A little below the share that would just fit, and always at least one fewer: requests differ in size.
    const share = (0.9 * maxChars) / json.length;
    fitted = firstRequests(all, Math.min(fitted.requests.length - 1, Math.floor(fitted.requests.length * share)));
    json = JSON.stringify(fitted);
  }
  return json;
}

/** Of many requests that stand at the same place a few are shown in full: the others say whom they are like, and what is theirs alone. */
function withoutTwins(dump: Dump): Dump {
  const places = new Map<string, { readonly id: number; count: number }>();
  let cut = 0;
  const requests = dump.requests.map((request) => {
    // What it holds is nobody else's.
    if (request.stacks.length === 0 || (request.holds?.length ?? 0) > 0) return request;
    const key = placeOf(request);
    const place = places.get(key);
    if (place === undefined) places.set(key, { id: request.id, count: 1 });
    else place.count += 1;
    if (place === undefined || place.count <= SHOWN_AT_A_PLACE) return request;
    cut += 1;
    return { ...bare(request), sameAs: place.id };
  });
  return noted({ ...dump, requests }, cut, 'stand where others do, and only say which');
}

function placeOf({ method, route, checkpoint, stacks, waitsFor, layer, error, verdict }: DumpRequest): string {
  return JSON.stringify([
    method,
    route,
    verdict?.evidence,
    checkpoint.label,
    stacks.map((stack) => stack.map(({ file, line, column }) => [file, line, column])),
    // Who else waits for the same promise is named in its label.
    waitsFor.map(({ type, label }) => (type === 'shared-promise' ? type : [type, label])),
    layer?.label,
    layer?.outcome,
    error?.class,
  ]);
}

/** Whoever holds something may be the one that the others wait for. */
function withoutBystandersStacks(dump: Dump): Dump {
  let cut = 0;
  const requests = dump.requests.map((request) => {
    const { state, stacks, holds = [] } = request;
    if (state === 'stuck' || stacks.length === 0 || holds.length > 0) return request;
    cut += 1;
    return bare(request);
  });
  return noted({ ...dump, requests }, cut, 'that are not stuck are without their stacks');
}

function firstRequests(dump: Dump, count: number): Dump {
  const left = dump.requests.length - count;
  const { dumps, requests } = dump.suppressed;
  const shorter = {
    ...dump,
    requests: dump.requests.slice(0, count),
    suppressed: { dumps, requests: requests + left },
  };
  return noted(shorter, left, 'are left out');
}

/** What is the request's own, and short. */
function bare(request: DumpRequest): DumpRequest {
  const { id, traceId, requestId, method, route, path, state, elapsedMs, idleMs, timeoutMs, verdict } = request;
  const { label, ageMs } = request.checkpoint;
  return {
    id,
    ...(traceId === undefined ? {} : { traceId }),
    ...(requestId === undefined ? {} : { requestId }),
    method,
    route,
    path,
    state,
    elapsedMs,
    idleMs,
    timeoutMs,
    checkpoint: { label, ageMs },
    stacks: [],
    waitsFor: [],
    ...(request.sameAs === undefined ? {} : { sameAs: request.sameAs }),
    ...(verdict === undefined ? {} : { verdict }),
  };
}

function noted(dump: Dump, count: number, what: string): Dump {
  if (count === 0) return dump;
  const { complete = false, tookMs = 0, note } = dump.evidence ?? {};
  const said = `${count} requests ${what}, since the report would be too long`;
  return { ...dump, evidence: { complete, tookMs, note: note === undefined ? said : `${note}; ${said}` } };
}

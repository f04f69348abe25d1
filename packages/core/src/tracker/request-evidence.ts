import type { AwaitContext, AwaitStack } from '@hangwatch/async-hooks-helpers';
import type { DumpAwait, DumpFrame, DumpWait } from '@hangwatch/protocol';
import { HangwatchError } from '../errors.ts';
import { messageOf } from '../message-of.ts';
import { kGeneration } from '../shared/slot-layout.ts';
import type { RequestEvidence } from '../shared/worker-protocol.ts';
import { isHttp2 } from './byte-counters.ts';
import { clientEvidence, clientWaits } from './client-evidence.ts';
import type { IncomingRequest, OutgoingResponse } from './http-messages.ts';
import { errorEvidence, layerEvidence } from './layer-evidence.ts';
import { maskPath } from './path-mask.ts';
import type { ProblemReporter } from './problem-reporter.ts';
import { RequestRecord } from './request-record.ts';
import { type ActiveResources, pendingResources } from './resources/pending-resources.ts';
import { trailEvidence } from './trail-evidence.ts';
import { type FoundWaits, outboundWaits } from './waits/outbound-sources.ts';

/** Stacks shown of a stuck request and of one that merely is in flight. */
const STUCK_STACKS = 32;
const MOVING_STACKS = 4;
const LONGEST_ID = 128;
/** Other waiters of one promise that are named. */
const NAMED_WAITERS = 100;

/** Age of the youngest await that leads to the request's own handler. */
export function youngestOwnMs(stacks: readonly AwaitStack[]): number | undefined {
  let youngest: number | undefined;
  for (const { own, ageMs } of stacks) if (own && (youngest === undefined || ageMs < youngest)) youngest = ageMs;
  return youngest;
}

/**
 * Everything the dump says of one request; `undefined` when it has just ended.
 *
 * @param problems where failures of the application's callbacks go; `undefined`: none of them is to be called
 */
export function requestEvidence(
  record: RequestRecord,
  stacks: readonly AwaitStack[],
  stuck: boolean,
  found: FoundWaits,
  problems: ProblemReporter | undefined,
  active: ActiveResources,
): RequestEvidence | undefined {
  const { slot, request, response } = record;
  if (slot === undefined || request === undefined || response === undefined) return undefined;
  // An own stack without frames is the handler's promise itself, awaited by nobody else: its age counts, there is nothing to show.
  const telling = stacks.filter(({ frames, created }) => frames.length > 0 || created !== undefined);
  const shown = telling.slice(0, stuck ? STUCK_STACKS : MOVING_STACKS);
  const openEnded = isOpenEnded(request, response);
  if (openEnded) record.unwatch();
  const path = maskPath(originalUrl(request));
  const client = clientEvidence(record, request, response);
  return {
    slot: slot.index,
    generation: slot.cells[slot.base + kGeneration] as number,
    method: request.method ?? '',
    route: nameOf(record, request, problems) ?? record.route ?? path,
    // With a pattern the pattern says it all, and no parameter's value can leak.
    path: record.route ?? path,
    requestId: identifier(request.headers['x-request-id']),
    traceId: traceId(request.headers['traceparent']),
    checkpoint: checkpointOf(record, stuck),
    trail: trailEvidence(record, stuck),
    stacks: shown.map(shownFrames),
    awaits: shown.map(
      (stack): DumpAwait => ({
        ageMs: stack.ageMs,
        own: stack.own,
        alsoAwaitedBy: requestIds(stack, record),
        ...(stack.frames.length === 0 ? { created: true } : {}),
      }),
    ),
    omittedAwaits: telling.length - shown.length,
    youngestOwnMs: youngestOwnMs(stacks),
    layer: layerEvidence(record, stuck),
    error: errorEvidence(record),
    client,
    outstanding: record.outstanding,
    pending: stuck ? pendingResources(record, active) : undefined,
    // It waits, and V8 shows nothing of where: the next one that does shall have more to show.
    notesPromises: stuck && record.outstanding > 0 && telling.length === 0,
    waitsFor: [
      ...outboundWaits(record, stacks, found),
      ...(record.watched?.waits(record.owner.clock[0] ?? 0) ?? []),
      ...sharedWaits(stacks, record),
      ...clientWaits(client),
    ],
    openEnded,
  };
}

/** Who waits; or, where V8 shows nothing of that, where the promise was made that it waits for. */
function shownFrames({ frames, created }: AwaitStack): DumpFrame[] {
  if (frames.length > 0) return frames.map((frame) => ({ ...frame }));
  return (created ?? []).map((frame) => ({ ...frame, async: false }));
}

/** Express rewrites `url` below a mount point and keeps what came in `originalUrl`. */
function originalUrl(request: IncomingRequest): string {
  const { originalUrl: original } = request as { originalUrl?: unknown };
  return typeof original === 'string' ? original : (request.url ?? '');
}

function nameOf(
  record: RequestRecord,
  request: IncomingRequest,
  problems: ProblemReporter | undefined,
): string | undefined {
  const { routeName } = record.rules;
  if (routeName === undefined || problems === undefined) return undefined;
  try {
    const name: unknown = routeName(request);
    return typeof name === 'string' && name !== '' ? name : undefined;
  } catch (error) {
    problems.report(
      new HangwatchError('HANGWATCH_ERR_CALLBACK', `routeName threw: ${messageOf(error)}`, { cause: error }),
    );
    return undefined;
  }
}

/** The place is looked up for stuck requests only: it takes a debugger session. */
function checkpointOf(record: RequestRecord, stuck: boolean): RequestEvidence['checkpoint'] {
  const { site } = record;
  if (site === undefined) return { label: 'request entered' };
  const place = stuck ? site.place() : undefined;
  return { ...place, label: site.label };
}

/** Numbers of other requests that wait for the same promise, a bounded number of them. */
function requestIds(stack: AwaitStack, record: RequestRecord): number[] {
  const ids = new Set<number>();
  for (const other of stack.alsoAwaitedBy) {
    if (other !== record && isRequest(other)) ids.add(other.id);
    if (ids.size === NAMED_WAITERS) break;
  }
  return [...ids];
}

const isRequest = (context: AwaitContext): context is RequestRecord =>
  context instanceof RequestRecord && context.slot !== undefined;

function sharedWaits(stacks: readonly AwaitStack[], record: RequestRecord): DumpWait[] {
  return stacks.flatMap((stack) => {
    const others = requestIds(stack, record);
    if (others.length === 0) return [];
    const names =
      others
        .slice(0, 8)
        .map((id) => `#${id}`)
        .join(', ') + (others.length > 8 ? ` and ${others.length - 8} more` : '');
    return [
      {
        type: 'shared-promise',
        label: `a promise that ${names} wait${others.length === 1 ? 's' : ''} for too`,
        sinceMs: stack.ageMs,
      },
    ];
  });
}

/** Silence is the normal state of an upgraded connection and of an event stream. */
export function isOpenEnded(request: IncomingRequest, response: OutgoingResponse): boolean {
  if (response.statusCode === 101) return true;
  if (!response.headersSent) return false;
  if (
    !isHttp2(request) &&
    request.headers.upgrade !== undefined &&
    request.headers.connection?.toLowerCase() === 'upgrade' &&
    response.socket === null
  )
    return true;
  const type = headerOf(response, 'content-type');
  return type?.startsWith('text/event-stream') === true;
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

function identifier(value: string | string[] | undefined): string | undefined {
  const text = Array.isArray(value) ? value[0] : value;
  return text !== undefined && /^[\w.:/+=-]+$/.test(text) ? text.slice(0, LONGEST_ID) : undefined;
}

/** The trace id of a W3C `traceparent`. https://www.w3.org/TR/trace-context/#traceparent-header */
function traceId(value: string | string[] | undefined): string | undefined {
  const text = Array.isArray(value) ? value[0] : value;
  return /^[0-9a-f]{2}-([0-9a-f]{32})-[0-9a-f]{16}-[0-9a-f]{2}/.exec(text ?? '')?.[1];
}

import type { Dump, DumpAwait, DumpFrame, DumpRequest, Evidence } from '@hangwatch/protocol';
import { cleanText } from './clean-text.ts';
import { foldFrames } from './fold-frames.ts';
import { formatDuration } from './format-duration.ts';
import { formatLayer } from './format-layer.ts';
import { formatPending } from './format-pending.ts';
import { formatTrail, trailText } from './format-trail.ts';
import { formatEdges, formatHolds } from './format-wait-for.ts';
import { frameText } from './frame-text.ts';
import type { ReportStyle } from './report-style.ts';
import { requestTitle } from './request-title.ts';

const MAX_WAITS = 8;
const MAX_WAITERS = 8;

/**
 * A stuck request in full: what it is, where it last passed, what it waits for, and its await stacks.
 *
 * @param dump - what it is part of
 */
export function formatRequest(request: DumpRequest, dump: Dump, style: ReportStyle): string[] {
  const { colors } = style;
  const lines = [
    `${colors.bold(requestTitle(request))}  ${formatDuration(request.elapsedMs)}  ${colors.dim(`(${standing(request, dump.verdict.evidence)})`)}`,
    `  last passed ${checkpointText(request, style)}`,
    ...formatTrail(request, style),
    ...formatLayer(request, style),
    ...seenLines(request, style),
  ];
  const origin = [
    request.traceId === undefined ? [] : [`trace ${cleanText(request.traceId, 64)}`],
    request.requestId === undefined ? [] : [`request id ${cleanText(request.requestId, 64)}`],
  ].flat();
  if (origin.length > 0) lines.push(colors.dim(`  ${origin.join(', ')}`));
  for (const wait of request.waitsFor.slice(0, MAX_WAITS)) {
    const label = `${cleanText(wait.type, 40)} ${quoted(wait.label)}`;
    lines.push(`  ${colors.yellow(`waits for ${label}`)} for ${formatDuration(wait.sinceMs)}`);
  }
  if (request.waitsFor.length > MAX_WAITS)
    lines.push(colors.dim(`  … waits for ${request.waitsFor.length - MAX_WAITS} more`));
  lines.push(...formatEdges(request, dump, style), ...formatHolds(request, style));
  lines.push(...formatPending(request, style), ...formatStacks(request, dump, style));
  return lines;
}

/** Where a request that goes round was seen. */
function seenLines({ seenAt = [] }: DumpRequest, { cwd }: ReportStyle): string[] {
  return seenAt
    .slice(0, MAX_WAITS)
    .map(({ frame, times }) => `  seen ${times} ${times === 1 ? 'time' : 'times'} ${frameText(frame, cwd)}`);
}

/** `"charged the card" (src/pay.ts:31), 10.1 s ago`, safe to print. */
export function checkpointText({ checkpoint, trail }: DumpRequest, { cwd }: { cwd?: string | undefined }): string {
  // Between the two the request may have passed one more: then the data is another place's.
  const last = trail?.at(-1);
  return trailText(last?.label === checkpoint.label ? { ...checkpoint, data: last.data } : checkpoint, { cwd });
}

/** The reason in a few words: `no progress for 10.1 s, timeout 10 s`. */
export function standing(request: DumpRequest, dumpEvidence: Evidence): string {
  const idle = formatDuration(request.idleMs);
  const timeout = `timeout ${formatDuration(request.timeoutMs)}`;
  switch (request.verdict?.evidence ?? dumpEvidence) {
    case 'proven-cycle':
      return `deadlocked, nothing moved for ${idle}, ${timeout}`;
    case 'slow':
      return `slow: it moved ${idle} ago, and is not done`;
    case 'on-request':
    case 'not-closed':
    case 'crashed':
      return `moved ${idle} ago, ${timeout}`;
    case 'waiting-outbound':
      return `an outbound call has not been answered, ${timeout}`;
    case 'loop-blocked':
      return 'its code keeps the event loop';
    case 'chain-stalled':
      return `its own awaits stand still, other work in its context moved ${idle} ago, ${timeout}`;
    case 'no-response':
      return `not answered, nothing moved for ${idle}, ${timeout}`;
    case 'client-stalled':
      return `waits for its client, no byte moved for ${idle}, ${timeout}`;
    default:
      return `no progress for ${idle}, ${timeout}`;
  }
}

function formatStacks(request: DumpRequest, dump: Dump, style: ReportStyle): string[] {
  const { colors } = style;
  if (request.stacks.length === 0) {
    return [`  ${noStackText(dump, request)}`, ...notesPromisesLines(request)].map((line) => colors.dim(line));
  }
  const lines: string[] = [];
  let foreign = false;
  for (const [index, stack] of request.stacks.slice(0, style.maxStacks).entries()) {
    const about = request.awaits?.[index];
    if (about?.created === true) lines.push(colors.dim('  a promise that it waits for was made:'));
    else if (about?.own === false && !foreign) {
      foreign = true;
      lines.push(colors.dim('  other work in its context:'));
    } else if (index > 0) lines.push(colors.dim('  and'));
    lines.push(...formatStack(stack, about, request.id, style));
  }
  const omitted = Math.max(0, request.stacks.length - style.maxStacks) + (request.omittedAwaits ?? 0);
  if (omitted > 0) lines.push(colors.dim(`  … ${omitted} more ${omitted === 1 ? 'await' : 'awaits'}`));
  return [...lines, ...notesPromisesLines(request).map((line) => colors.dim(line))];
}

function notesPromisesLines({ notesPromises }: DumpRequest): string[] {
  return notesPromises === true ? ['  from now on requests of this route note where they make their promises'] : [];
}

function formatStack(stack: DumpFrame[], about: DumpAwait | undefined, ownId: number, style: ReportStyle): string[] {
  const { colors, cwd } = style;
  const lines = stack.every((frame) => frame.kind === 'hangwatch')
    ? ['    the handler itself; below it is no await that V8 can follow']
    : foldFrames(stack).flatMap((part) => {
        if (part.type === 'fold') return part.wrapper ? [] : [colors.dim(`    … ${part.label}`)];
        const text = `    ${frameText(part.frame, cwd)}`;
        return [part.prominent ? text : colors.dim(text)];
      });
  if (about !== undefined && lines[0] !== undefined) lines[0] += colors.cyan(`  ${awaitText(about, ownId)}`);
  return lines;
}

/** `waiting 10.1 s, as does #42`, safe to print. */
export function awaitText(about: DumpAwait, ownId: number): string {
  const others = [...new Set(about.alsoAwaitedBy ?? [])].filter((id) => id !== ownId);
  const shown = others.slice(0, MAX_WAITERS).map((id) => `#${id}`);
  if (others.length > MAX_WAITERS) shown.push(`${others.length - MAX_WAITERS} more`);
  const verb = others.length === 1 ? 'as does' : 'as do';
  return `waiting ${formatDuration(about.ageMs)}${others.length > 0 ? `, ${verb} ${shown.join(', ')}` : ''}`;
}

/** Why a request has no stack, and where to look instead. */
export function noStackText(
  { process, evidence, block, crash }: Pick<Dump, 'process' | 'evidence' | 'block' | 'crash'>,
  { id, layer, sameAs }: Pick<DumpRequest, 'id' | 'layer' | 'sameAs'>,
): string {
  if (sameAs !== undefined) return `it stands where #${sameAs} does`;
  if (id === block?.running || id === crash?.running) return 'no await stack: its code was running';
  if (process.noAwaitStacks !== undefined)
    return `no await stack: this runtime has none (${cleanText(process.noAwaitStacks, 200)})`;
  if (evidence?.complete === false && layer === undefined) return 'no await stack: the evidence is incomplete';
  if (layer?.outcome === 'fulfilled' || layer?.outcome === 'rejected')
    return 'no await stack: nothing is awaited any more';
  return 'no await stack: it waits in callback code, after what it last passed';
}

function quoted(text: string): string {
  return `"${cleanText(text, 120).replaceAll('"', '\\"')}"`;
}

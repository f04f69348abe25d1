import type { Dump, DumpRequest } from '@hangwatch/protocol';
import { cleanText } from './clean-text.ts';
import { formatBlock, threadPoolText } from './format-block.ts';
import { formatCrash } from './format-crash.ts';
import { formatDumpLine } from './format-dump-line.ts';
import type { FormatDumpOptions } from './format-dump-options.ts';
import { formatDuration } from './format-duration.ts';
import { formatRecorder } from './format-recorder.ts';
import { formatRequest } from './format-request.ts';
import { formatTable } from './format-table.ts';
import { formatWaitFor } from './format-wait-for.ts';
import { headline, severity } from './headline.ts';
import { type ReportStyle, reportStyle } from './report-style.ts';
import { isShownInFull } from './shown-in-full.ts';
import { timestampText } from './timestamp-text.ts';

const MAX_RESOURCES = 12;
const MAX_TWINS = 12;

/**
 * A dump as text for people: the sentence first, each stuck request with its await stacks, then what else was in flight and how the process
 * was. Many lines for a hang or a blocked event loop, one for `recovered`, `gone` and `suppressed`. Ends without a newline. Every string of the dump is made
 * safe to print; see {@link cleanText}.
 *
 * @param dump - a valid dump; see `@hangwatch/protocol/validate` for what comes from outside
 * @example
 * ```ts
 * process.stderr.write(`${formatDump(dump, { color: process.stderr.isTTY, width: process.stderr.columns })}\n`);
 * ```
 */
export function formatDump(dump: Dump, options: FormatDumpOptions = {}): string {
  // What was cut off before it could be reported has its evidence here, and nowhere else.
  const isNote =
    dump.kind === 'recovered' || dump.kind === 'suppressed' || (dump.kind === 'gone' && dump.follows !== undefined);
  if (isNote) return formatDumpLine(dump, options);
  const style = reportStyle(options, dump.process.cwd);
  const { shown, rest } = formatInFull(
    dump.requests.filter((request) => isShownInFull(request, dump)),
    dump,
    style,
  );
  const others = [...rest, ...dump.requests.filter((request) => !isShownInFull(request, dump))];
  const stuck = rest.filter(({ state }) => state === 'stuck').length;
  const count = stuck === 0 ? `${others.length}` : `${others.length}, of which ${stuck} stuck`;
  const blocks = [
    [title(dump, style), ...origin(dump, style)],
    formatBlock(dump, style),
    formatCrash(dump, style),
    formatWaitFor(dump, style),
    ...shown,
    others.length === 0
      ? []
      : [`${shown.length === 0 ? '' : 'also '}in flight (${count}):`, ...formatTable(others, style)],
    formatRecorder(dump, style),
    footer(dump, style),
  ];
  return blocks
    .filter((block) => block.length > 0)
    .map((block) => block.join('\n'))
    .join('\n\n');
}

/** ` thread 3`, ` (cluster worker 2)`, or nothing. */
export function threadText({ threadId, clusterWorker }: Dump['process']): string {
  const thread = threadId === undefined ? '' : ` thread ${threadId}`;
  return clusterWorker === undefined ? thread : `${thread} (cluster worker ${clusterWorker})`;
}

function title(dump: Dump, { colors }: ReportStyle): string {
  const paint = severity(dump) === 'alarm' ? colors.red : colors.yellow;
  return `${colors.bold(paint(`${headline(dump)}:`))} ${colors.bold(cleanText(dump.verdict.summary.replace(/^deadlock: /, ''), 1_000))}`;
}

function origin(dump: Dump, style: ReportStyle): string[] {
  const { service, version, hostname, pid, node, uptimeMs } = dump.process;
  const parts = [
    [cleanText(service, 60), cleanText(version, 40)].filter(Boolean).join(' '),
    `pid ${pid}${threadText(dump.process)} on ${cleanText(hostname, 60)}`,
    `node ${cleanText(node, 20).replace(/^v/, '')}`,
    `up ${formatDuration(uptimeMs)}`,
    timestampText(dump.at, style.now),
    `dump ${cleanText(dump.id, 40)}`,
  ];
  return [style.colors.dim(`  ${parts.filter(Boolean).join(', ')}`)];
}

/** Requests that stand at the same place as one that is shown take one line together: a storm is mostly one place. */
function formatInFull(requests: readonly DumpRequest[], dump: Dump, style: ReportStyle) {
  const places = new Map<string, [first: DumpRequest, ...twins: DumpRequest[]]>();
  const rest: DumpRequest[] = [];
  const keys = new Map<number, string>();
  for (const request of requests) {
    const key = keys.get(request.sameAs ?? request.id) ?? placeKey(request);
    keys.set(request.id, key);
    const group = places.get(key);
    if (group !== undefined) group.push(request);
    else if (places.size < style.maxStuck) places.set(key, [request]);
    else rest.push(request);
  }
  const shown = [...places.values()].map(([first, ...twins]) => {
    const lines = formatRequest(first, dump, style);
    if (twins.length === 0) return lines;
    const named = twins.slice(0, MAX_TWINS).map((twin) => `#${twin.id} ${formatDuration(twin.elapsedMs)}`);
    if (twins.length > MAX_TWINS) named.push(`${twins.length - MAX_TWINS} more`);
    return [...lines, style.colors.yellow(`  at the same place: ${named.join(', ')}`)];
  });
  return { shown, rest };
}

function placeKey(request: DumpRequest): string {
  const stacks = request.stacks.map((stack) => stack.map((frame) => [frame.file, frame.line, frame.column]));
  const waits = request.waitsFor.map((wait) => [wait.type, wait.label]);
  return JSON.stringify([request.method, request.route || request.path, request.checkpoint.label, stacks, waits]);
}

function footer(dump: Dump, { colors }: ReportStyle): string[] {
  const { delayP99Ms, utilization } = dump.eventLoop;
  const lines = [`event loop: p99 delay ${formatDuration(delayP99Ms)}, ${Math.round(utilization * 100)}% busy`];
  const resources = Object.entries(dump.resources).sort((a, b) => b[1] - a[1]);
  if (resources.length > 0) {
    const named = resources.slice(0, MAX_RESOURCES).map(([type, count]) => `${cleanText(type, 60)} ${count}`);
    if (resources.length > MAX_RESOURCES) named.push(`${resources.length - MAX_RESOURCES} more types`);
    lines.push(`resources: ${named.join(', ')}`);
  }
  if (dump.threadPool !== undefined) lines.push(threadPoolText(dump.threadPool));
  // Of a block that has just been noticed nothing else was asked.
  if (dump.evidence?.complete === false && dump.kind !== 'loop-block') {
    const { tookMs } = dump.evidence;
    lines.push(`evidence: incomplete${tookMs === 0 ? '' : ` after ${formatDuration(tookMs)}`}`);
  }
  if (dump.evidence?.note !== undefined) lines.push(`note: ${cleanText(dump.evidence.note, 1_000)}`);
  const { dumps, requests } = dump.suppressed;
  if (dumps > 0 || requests > 0) {
    lines.push(`suppressed since the last dump: ${plural(dumps, 'dump')} of ${plural(requests, 'request')}`);
  }
  return lines.map((line) => colors.dim(line));
}

function plural(count: number, noun: string): string {
  return `${count} ${noun}${count === 1 ? '' : 's'}`;
}

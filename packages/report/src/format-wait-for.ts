import type { Dump, DumpHold, DumpRequest, DumpWaitEdge } from '@hangwatch/protocol';
import { cleanText } from './clean-text.ts';
import { formatDuration } from './format-duration.ts';
import { frameText } from './frame-text.ts';
import type { ReportStyle } from './report-style.ts';
import { requestTitle } from './request-title.ts';

const MAX_CYCLES = 4;
const MAX_EDGES = 24;
const MAX_HOLDS = 8;

/** Deadlocks edge by edge: who waits for what, and who holds it. Nothing where there is none. */
export function formatWaitFor({ waitFor, requests }: Dump, style: ReportStyle): string[] {
  if (waitFor === undefined || waitFor.cycles.length === 0) return [];
  const byId = new Map(requests.map((request) => [request.id, request]));
  const lines: string[] = [];
  for (const cycle of waitFor.cycles.slice(0, MAX_CYCLES)) {
    const edges = cycle.flatMap((index) => waitFor.edges[index] ?? []);
    const rows = edges.slice(0, MAX_EDGES).map((edge) => edgeColumns(edge, byId));
    const widths = [0, 1].map((column) => Math.max(...rows.map((row) => row[column]?.length ?? 0)));
    const count = `${edges.length} ${edges.length === 1 ? 'request waits for itself' : 'requests wait for each other'}:`;
    lines.push(style.colors.bold(style.colors.red(count)));
    for (const [who = '', what = '', by = ''] of rows) {
      lines.push(
        `  ${who.padEnd(widths[0] ?? 0)}  waits for  ${style.colors.yellow(what.padEnd(widths[1] ?? 0))}  ${by}`,
      );
    }
    if (edges.length > rows.length) lines.push(style.colors.dim(`  … ${edges.length - rows.length} more`));
  }
  const left = waitFor.cycles.length - MAX_CYCLES;
  if (left > 0) lines.push(style.colors.dim(`… ${left} more ${left === 1 ? 'deadlock' : 'deadlocks'}`));
  return lines;
}

function edgeColumns(edge: DumpWaitEdge, byId: ReadonlyMap<number, DumpRequest>): string[] {
  const request = byId.get(edge.request);
  return [
    request === undefined ? `#${edge.request}` : requestTitle(request),
    cleanText(edge.waitsFor, 80),
    heldByText(edge),
  ];
}

/** `held by #42 since 10.2 s`, safe to print. */
export function heldByText({ heldBy, holder, heldMs, ahead }: DumpWaitEdge): string {
  const who = heldBy === undefined ? cleanText(holder ?? 'somebody', 120) : `#${heldBy}`;
  if (ahead === true) return `behind ${who} in its queue`;
  return `held by ${who}${heldMs === undefined ? '' : ` since ${formatDuration(heldMs)}`}`;
}

/** What a request waits for, and who holds it: the edges that say more than its own list. */
export function formatEdges(request: DumpRequest, { waitFor }: Dump, { colors, cwd }: ReportStyle): string[] {
  const edges = (waitFor?.edges ?? []).filter((edge) => edge.request === request.id);
  const lines = edges.slice(0, MAX_HOLDS).map((edge) => {
    const until = edge.timesOutMs === undefined ? '' : `, gives up in ${formatDuration(edge.timesOutMs)}`;
    const where = edge.heldSite === undefined ? '' : `, acquired ${frameText(edge.heldSite, cwd)}`;
    return `    ${cleanText(edge.waitsFor, 80)}: ${heldByText(edge)}${where}${until}`;
  });
  if (edges.length > MAX_HOLDS) lines.push(colors.dim(`    … and by ${edges.length - MAX_HOLDS} more`));
  return lines;
}

/** What a request holds. */
export function formatHolds({ holds = [] }: DumpRequest, style: ReportStyle): string[] {
  const lines = holds.slice(0, MAX_HOLDS).map((hold) => `  ${holdText(hold, style)}`);
  if (holds.length > MAX_HOLDS) lines.push(style.colors.dim(`  … holds ${holds.length - MAX_HOLDS} more`));
  return lines;
}

/** `holds lock "logging" for 10.2 s, acquired at flush (src/flush.ts:12:3)`, safe to print. */
export function holdText({ resource, sinceMs, site }: DumpHold, { cwd }: { cwd?: string | undefined }): string {
  const where = site === undefined ? '' : `, acquired ${frameText(site, cwd)}`;
  return `holds ${cleanText(resource, 80)} for ${formatDuration(sinceMs)}${where}`;
}

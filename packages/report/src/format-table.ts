import type { DumpRequest } from '@hangwatch/protocol';
import { cleanText } from './clean-text.ts';
import { formatDuration } from './format-duration.ts';
import type { ReportStyle } from './report-style.ts';
import { requestTitle } from './request-title.ts';

/** The requests that are not described in full, one a line: what, for how long, since when idle, last checkpoint. */
export function formatTable(requests: readonly DumpRequest[], style: ReportStyle): string[] {
  const rows = requests
    .slice(0, style.maxRows)
    .map((request) => [
      requestTitle(request),
      formatDuration(request.elapsedMs),
      `idle ${formatDuration(request.idleMs)}`,
      cleanText(request.checkpoint.label, 60),
    ]);
  const widths = [0, 1, 2].map((column) => Math.max(...rows.map((row) => (row[column] ?? '').length)));
  const titleWidth = Math.min(widths[0] ?? 0, Math.floor(style.width / 2));
  const lines = rows.map(([title = '', elapsed = '', idle = '', label = '']) =>
    cleanText(
      `  ${cleanText(title, titleWidth).padEnd(titleWidth)}  ${elapsed.padStart(widths[1] ?? 0)}  ${idle.padEnd(widths[2] ?? 0)}  ${label}`,
      style.width,
    ).trimEnd(),
  );
  if (requests.length > rows.length) lines.push(style.colors.dim(`  … ${requests.length - rows.length} more`));
  return lines;
}

import type { Dump } from '@hangwatch/protocol';
import { cleanText } from './clean-text.ts';
import type { FormatDumpOptions } from './format-dump-options.ts';
import { headline, severity } from './headline.ts';
import { reportStyle } from './report-style.ts';
import { timestampText } from './timestamp-text.ts';

/** What {@link formatDumpLine} needs of a dump: a collector's list holds no more. */
export type DumpHead = Pick<Dump, 'id' | 'kind' | 'at' | 'verdict'> & { process: Pick<Dump['process'], 'service'> };

/**
 * A dump on one line, for lists: when, what, which service, the sentence, and the beginning of its id. Safe to print.
 *
 * @example
 * ```ts
 * formatDumpLine(dump);
 * // 2026-01-31 09:30:00Z  HANG (no progress)  api: GET /reports/:id has not moved for 10.1 s  [0d0f3ad2]
 * ```
 */
export function formatDumpLine(dump: DumpHead, options: FormatDumpOptions = {}): string {
  const { colors, now, width } = reportStyle(options, undefined);
  const paint = { alarm: colors.red, warning: colors.yellow, relief: colors.green }[severity(dump)];
  const when = timestampText(dump.at, now);
  const what = headline(dump);
  const service = cleanText(dump.process.service, 40);
  const id = `[${cleanText(dump.id.slice(0, 8), 40)}]`;
  const room = width - when.length - what.length - service.length - id.length - '      : '.length;
  const summary = cleanText(dump.verdict.summary, options.width === undefined ? 500 : Math.max(20, room));
  return `${colors.dim(when)}  ${paint(what)}  ${service === '' ? '' : `${service}: `}${summary}  ${colors.dim(id)}`;
}

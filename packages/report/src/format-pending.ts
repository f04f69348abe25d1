import type { DumpPending, DumpRequest } from '@hangwatch/protocol';
import { cleanText } from './clean-text.ts';
import { placeText } from './frame-text.ts';
import type { ReportStyle } from './report-style.ts';

const MAX_PENDING = 12;

/** `3 Timeout, made in poll (src/poll.ts:7:5)`, safe to print. */
export function pendingText({ type, count, function: name, file, line, column }: DumpPending, cwd?: string): string {
  const what = `${count === undefined ? '' : `${count} `}${cleanText(type, 60)}`;
  if (file === undefined) return what;
  const place = placeText(file, line, column, cwd);
  return name === undefined || name === ''
    ? `${what}, made at ${place}`
    : `${what}, made in ${cleanText(name, 100)} (${place})`;
}

/** What callback code waits for, a line each. */
export function formatPending({ pending = [] }: DumpRequest, { colors, cwd }: ReportStyle): string[] {
  const lines = pending.slice(0, MAX_PENDING).map((each) => `  pending: ${pendingText(each, cwd)}`);
  if (pending.length > MAX_PENDING) lines.push(colors.dim(`  … ${pending.length - MAX_PENDING} more`));
  return lines;
}

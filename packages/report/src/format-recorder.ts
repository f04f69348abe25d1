import type { Dump, DumpRecorder, DumpRecorderEntry } from '@hangwatch/protocol';
import { cleanText } from './clean-text.ts';
import { formatDuration } from './format-duration.ts';
import type { ReportStyle } from './report-style.ts';

const MAX_LINES = 15;

/** What happened last before the requests came to stand still (or, where none does, before the dump), oldest first. */
export function formatRecorder(dump: Pick<Dump, 'recorder' | 'requests'>, { colors }: ReportStyle): string[] {
  const { recorder } = dump;
  if (recorder === undefined || recorder.entries.length === 0) return [];
  const standsMs = Math.max(0, ...dump.requests.filter(({ state }) => state === 'stuck').map(({ idleMs }) => idleMs));
  // Both ages are only as fine as the clock's steps.
  const before = recorder.entries.filter(({ ageMs }) => ageMs + recorder.resolutionMs >= standsMs);
  const shown = before.slice(-MAX_LINES);
  if (shown.length === 0) return [];
  const ages = shown.map(({ ageMs }) => `${formatDuration(ageMs)} ago`);
  const width = Math.max(...ages.map((age) => age.length));
  const lines = shown.map((entry, i) => `  ${(ages[i] ?? '').padStart(width)}  ${recorderText(entry, recorder)}`);
  const left = recorder.entries.length - shown.length + recorder.omitted;
  if (left > 0) lines.push(`  … ${left} more, back to ${formatDuration(recorder.reachMs)} ago`);
  if (recorder.wantedMs !== undefined) lines.push(`  ${shortText(recorder.reachMs, recorder.wantedMs)}`);
  return ['before it:', ...lines].map((line) => colors.dim(line));
}

/** `the flight recorder reaches back 3 s only, …`: much happens, and its length is fixed. */
export const shortText = (reachMs: number, wantedMs: number): string =>
  `the flight recorder reaches back ${formatDuration(reachMs)} only, less than twice the timeout (${formatDuration(wantedMs)}): recorderEntries makes it longer`;

/** `#38 GET /users/:id finished after 1 s`, safe to print. */
export function recorderText(entry: DumpRecorderEntry, { resolutionMs }: Pick<DumpRecorder, 'resolutionMs'>): string {
  const label = cleanText(entry.label ?? '', 120);
  const who = entry.request === undefined ? [] : [`#${entry.request}`];
  const durationMs = entry.durationMs ?? 0;
  const took = durationMs < resolutionMs ? `less than ${formatDuration(resolutionMs)}` : formatDuration(durationMs);
  switch (entry.type) {
    case 'started':
      return sentence(who, label, 'entered');
    case 'finished':
      return sentence(who, label, `finished after ${took}`);
    case 'left':
      return sentence(who, label, `was left by its client, or cut off, after ${took}`);
    case 'checkpoint':
      return sentence(who, `passed "${label.replaceAll('"', '\\"')}"`);
    case 'outbound':
      return sentence(who, 'ended an outbound call', `(${label === '' ? 'unknown' : label}) after ${took}`);
    case 'loop-lag':
      return `the event loop was late by ${formatDuration(durationMs)}`;
    default:
      return sentence(who, cleanText(entry.type, 40), label);
  }
}

const sentence = (who: readonly string[], ...parts: readonly string[]): string =>
  [...who, ...parts].filter((part) => part !== '').join(' ');

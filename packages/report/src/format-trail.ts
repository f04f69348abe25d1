import type { DumpData, DumpRequest, DumpTrailEntry } from '@hangwatch/protocol';
import { cleanText } from './clean-text.ts';
import { formatDuration } from './format-duration.ts';
import { placeText } from './frame-text.ts';
import type { ReportStyle } from './report-style.ts';

const MAX_PLACES = 6;

/** The places passed before the last one, newest first. */
export function formatTrail(request: DumpRequest, { colors, cwd }: ReportStyle): string[] {
  const earlier = earlierPlaces(request);
  if (earlier.length === 0) return [];
  const lines = earlier.slice(0, MAX_PLACES).map((entry) => `    ${trailText(entry, { cwd })}`);
  if (earlier.length > MAX_PLACES) lines.push(`    … ${earlier.length - MAX_PLACES} more`);
  return ['  before that', ...lines].map((line) => colors.dim(line));
}

/** The trail without the place that was passed last, newest first. */
export function earlierPlaces({ trail }: Pick<DumpRequest, 'trail'>): DumpTrailEntry[] {
  return (trail ?? []).slice(0, -1).reverse();
}

/** `"charged the card" (src/pay.ts:31), 10.1 s ago, {"orderId":7}`, safe to print. */
export function trailText(
  { label, file, line, ageMs, data }: DumpTrailEntry,
  { cwd }: { cwd?: string | undefined },
): string {
  const place = file === undefined ? '' : ` (${placeText(file, line, undefined, cwd)})`;
  const quoted = `"${cleanText(label, 120).replaceAll('"', '\\"')}"`;
  return `${quoted}${place}, ${formatDuration(ageMs)} ago${data === undefined ? '' : `, ${dataText(data)}`}`;
}

function dataText(data: DumpData): string {
  return cleanText(JSON.stringify(data), 400);
}

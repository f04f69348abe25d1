import { cleanText } from './clean-text.ts';
import { formatDuration } from './format-duration.ts';

/**
 * A dump's `at` for reading, in UTC: `2026-01-31 09:30:00Z`, with its age where the reader's time is given.
 *
 * @param at - ISO 8601
 * @param now - the reader's time
 */
export function timestampText(at: string, now?: Date): string {
  const time = new Date(at);
  if (Number.isNaN(time.getTime())) return cleanText(at, 40);
  const text = `${time.toISOString().slice(0, 19).replace('T', ' ')}Z`;
  if (now === undefined) return text;
  const ageMs = now.getTime() - time.getTime();
  // A sender whose clock is ahead of the reader's is no news.
  return ageMs < 1_000 ? `${text} (now)` : `${text} (${formatDuration(ageMs)} ago)`;
}

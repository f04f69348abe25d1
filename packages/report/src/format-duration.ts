/**
 * A duration as a person says it: two figures that matter, never more.
 *
 * @param milliseconds - 0 or more
 * @example
 * ```ts
 * formatDuration(12.4); // '12 ms'
 * formatDuration(10_340); // '10.3 s'
 * formatDuration(125_000); // '2 min 5 s'
 * formatDuration(3_840_000); // '1 h 4 min'
 * ```
 */
export function formatDuration(milliseconds: number): string {
  if (milliseconds < 999.5) return `${Math.round(milliseconds)} ms`;
  const seconds = milliseconds / 1_000;
  if (seconds < 59.95) return `${seconds.toFixed(1).replace(/\.0$/, '')} s`;
  if (seconds < 3_599.5) return pair(Math.round(seconds), 60, 'min', 's');
  if (seconds < 86_370) return pair(Math.round(seconds / 60), 60, 'h', 'min');
  return pair(Math.round(seconds / 3_600), 24, 'd', 'h');
}

function pair(total: number, base: number, high: string, low: string): string {
  const rest = total % base;
  return rest === 0 ? `${total / base} ${high}` : `${Math.floor(total / base)} ${high} ${rest} ${low}`;
}

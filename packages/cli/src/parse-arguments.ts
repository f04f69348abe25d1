import { InvalidArgumentError } from 'commander';

const UNITS_MS = { s: 1_000, m: 60_000, h: 3_600_000, d: 86_400_000 } as const;

/**
 * A whole number.
 *
 * @throws InvalidArgumentError
 */
export function parseWhole(from: number, to: number): (text: string) => number {
  return (text) => {
    const value = /^\d{1,15}$/.test(text) ? Number(text) : Number.NaN;
    if (value >= from && value <= to) return value;
    throw new InvalidArgumentError(`It must be a whole number from ${from} to ${to}.`);
  };
}

/**
 * A duration such as `90d`, `12h`, `10m` or `30s`, in milliseconds.
 *
 * @throws InvalidArgumentError
 */
export function parseDuration(text: string): number {
  const [, amount, unit] = /^(\d{1,9}(?:\.\d{1,3})?)([smhd])$/.exec(text) ?? [];
  const milliseconds = Number(amount) * (UNITS_MS[unit as keyof typeof UNITS_MS] ?? Number.NaN);
  if (milliseconds > 0) return milliseconds;
  throw new InvalidArgumentError('It must be a duration such as 90d, 12h, 10m or 30s.');
}

/**
 * Where `tail` begins: everything, a duration back, a time, or the id of a dump.
 */
export type Since = { type: 'all' } | { type: 'time'; time: Date } | { type: 'id'; id: string };

/**
 * What `--since` may say: `all`, `10m`, `2026-01-31T09:30:00Z`, or an id.
 *
 * @throws InvalidArgumentError
 */
export function parseSince(text: string, now: Date): Since {
  if (text === 'all') return { type: 'all' };
  if (/^[\d.]+[smhd]$/.test(text)) return { type: 'time', time: new Date(now.getTime() - parseDuration(text)) };
  if (/^\d{4}-\d\d-\d\d([T ]|$)/.test(text)) {
    const time = new Date(text);
    if (!Number.isNaN(time.getTime())) return { type: 'time', time };
  } else if (/^[A-Za-z0-9][A-Za-z0-9._-]{0,127}$/.test(text)) return { type: 'id', id: text };
  throw new InvalidArgumentError(
    'It must be all, a duration such as 10m, a time such as 2026-01-31T09:30:00Z, or the id of a dump.',
  );
}

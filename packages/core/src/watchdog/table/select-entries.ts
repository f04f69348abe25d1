import { entriesBetween, type RecorderEntry } from './recorder-reader.ts';

/** When a request began, in the order of entries. */
export interface Beginning {
  readonly request: number;
  readonly beganAt: number;
}

/** Requests whose surroundings are looked at: the oldest ones. What hangs later hangs for the same reason, or behind them. */
const LOOKED_AT = 8;
/** Entries of one such request itself, the last. */
const OWN = 16;
/** Shares of the whole: what ended badly or late, and what lies around a beginning. */
const REMARKABLE_SHARE = 0.25;
const BEFORE_SHARE = 0.4;
const AFTER_SHARE = 0.1;

/**
 * The entries that tell most about why some requests hang, at most `limit`, in their order: what those requests did themselves, what ended
 * badly or late, what ended before the first of them began and shortly after, and then the latest.
 *
 * @param entries in their order
 * @param about the requests, the oldest first
 * @param written entries written, ever: what the numbers count up to
 */
export function selectEntries(
  entries: readonly RecorderEntry[],
  about: readonly Beginning[],
  written: number,
  limit: number,
): readonly RecorderEntry[] {
  if (entries.length <= limit) return entries;
  const chosen = new Set<RecorderEntry>();
  const takeLast = (candidates: readonly RecorderEntry[], most: number) => {
    const first = Math.max(0, candidates.length - Math.floor(most));
    for (let i = candidates.length - 1; i >= first && chosen.size < limit; i--)
      chosen.add(candidates[i] as RecorderEntry);
  };
  const looked = about.slice(0, LOOKED_AT);
  for (const { request } of looked) {
    takeLast(
      entries.filter((entry) => entry.request === request),
      OWN,
    );
  }
  takeLast(entries.filter(isRemarkable), limit * REMARKABLE_SHARE);
  for (const [index, { beganAt }] of looked.entries()) {
    // The first beginning is the one to look at; each one after it gets half of the room.
    const share = limit / 2 ** index;
    const before = entries.filter(({ number }) => entriesBetween(written, number) > entriesBetween(written, beganAt));
    takeLast(before, share * BEFORE_SHARE);
    const after = Math.floor(share * AFTER_SHARE);
    takeLast(entries.slice(before.length, before.length + after), after);
  }
  // The latest, as far as there is room.
  takeLast(entries, entries.length);
  return entries.filter((entry) => chosen.has(entry));
}

/** A client that left, a late event loop. */
function isRemarkable({ type }: RecorderEntry): boolean {
  return type === 'left' || type === 'loop-lag';
}

import type { Dump } from '@hangwatch/protocol';

/** Values of a dump that are handed to the main thread: it takes less than a microsecond for each, in one piece, and nothing else meanwhile. */
const MOST_VALUES = 10_000;

/**
 * The part of a dump that the application itself is given: as many requests as the main thread can be handed in a few milliseconds, in the dump's order,
 * so that those that are stuck come first. What was sent is whole.
 */
export function toldPart(dump: Dump): Dump {
  const { requests, evidence } = dump;
  let left = MOST_VALUES - valuesIn({ ...dump, requests: [] });
  let count = 0;
  for (const request of requests) {
    left -= valuesIn(request);
    if (left < 0 && count > 0) break;
    count += 1;
  }
  if (count === requests.length) return dump;
  const more = `${requests.length - count} more requests are in the report that was sent`;
  const note = evidence?.note === undefined ? more : `${evidence.note}; ${more}`;
  return {
    ...dump,
    requests: requests.slice(0, count),
    evidence: { complete: evidence?.complete ?? false, tookMs: evidence?.tookMs ?? 0, note },
  };
}

function valuesIn(value: unknown): number {
  if (typeof value !== 'object' || value === null) return 1;
  let sum = 1;
  for (const each of Object.values(value)) sum += valuesIn(each);
  return sum;
}

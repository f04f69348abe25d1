import type { DumpWait } from '@hangwatch/protocol';

/** Parts at the end of a label that may be another's whole label, which has few commas. */
const MOST_PARTS = 8;

/** One call told by two sources (an HTTP request, and the socket that it is waiting for) is shown once, as the one that says more. */
export function distinctWaits(waits: readonly DumpWait[]): DumpWait[] {
  const distinct = new Map<string, DumpWait>();
  for (const wait of waits) {
    const { label } = wait;
    if (!distinct.has(label)) distinct.set(label, wait);
  }
  const parts = new Set([...distinct.keys()].flatMap(lastParts));
  return [...distinct].filter(([label]) => !parts.has(label)).map(([, wait]) => wait);
}

/** `b, c` and `c` of `a, b, c`. */
function lastParts(label: string): string[] {
  const parts: string[] = [];
  let at = label.length;
  while (parts.length < MOST_PARTS && at > 0) {
    at = label.lastIndexOf(', ', at - 1);
    if (at === -1) break;
    parts.push(label.slice(at + 2));
  }
  return parts;
}

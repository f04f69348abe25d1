import { randomUUID } from 'node:crypto';
import type { Dump } from '@hangwatch/protocol';
import { DIED, ENDED_OR_STOPPED } from './ends-without-a-word.ts';
import { packDump, unpackDump } from './parcel.ts';

/**
 * A record that is told because nobody keeps it fresh any more: nobody has seen the process end. It has an id of its own: if the process lives
 * after all, what is told of its end later is something else.
 */
export function presumedEnd(gzip: Buffer): Buffer {
  const dump: Partial<Dump> = unpackDump(gzip);
  if (dump.verdict?.summary.startsWith(DIED) !== true) return gzip;
  const summary = ENDED_OR_STOPPED + dump.verdict.summary.slice(DIED.length);
  return packDump({ ...(dump as Dump), id: randomUUID(), verdict: { ...dump.verdict, summary } }).gzip;
}

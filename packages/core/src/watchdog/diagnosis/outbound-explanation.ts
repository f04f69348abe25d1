import type { DumpWait } from '@hangwatch/protocol';
import type { OutboundType } from '../../shared/outbound-types.ts';

/**
 * Kinds whose silence explains a hang. A pool's connection (`pool`) is no answer that somebody owes: who holds the connections may be
 * another request of this very process. `'lasting'`: what may live on for reasons of its own, so that only one begun with the stall counts.
 */
const ANSWERS: Readonly<Partial<Record<string, 'owed' | 'lasting'>>> = {
  http: 'owed',
  connect: 'owed',
  dns: 'owed',
  database: 'owed',
  redis: 'owed',
  fs: 'owed',
  'child-process': 'lasting',
  worker: 'lasting',
} satisfies Partial<Record<OutboundType, 'owed' | 'lasting'>>;

/**
 * The outbound call that explains why a request stands still: one that was already under way when it came to stand. Of several the youngest:
 * it is the one after which nothing came.
 *
 * @param stalledMs since the request stands still
 * @param ownMs age of the youngest await of its own, if it has any
 * @param toleranceMs how far ages of two things that began together may lie apart
 */
export function outboundExplanation(
  waits: readonly DumpWait[],
  stalledMs: number,
  ownMs: number | undefined,
  toleranceMs: number,
): DumpWait | undefined {
  let found: DumpWait | undefined;
  for (const wait of waits) {
    const kind = ANSWERS[wait.type];
    if (kind === undefined || wait.sinceMs < stalledMs - toleranceMs) continue;
    if (kind === 'lasting' && wait.sinceMs > Math.max(stalledMs, ownMs ?? 0) + 2 * toleranceMs) continue;
    if (found === undefined || wait.sinceMs < found.sinceMs) found = wait;
  }
  return found;
}

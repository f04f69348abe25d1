import type { DumpCrash } from '@hangwatch/protocol';
import type { LastEvidence } from '../../shared/worker-protocol.ts';
import { evidenceAtOnce } from '../evidence/evidence-at-once.ts';
import type { RequestRecord } from '../request-record.ts';
import type { WatchdogThread } from './watchdog-thread.ts';

/** How long the await stacks of a process that ends may take: this share of `exitDelay`, and no longer than so. */
const EVIDENCE_SHARE = 0.3;
const LONGEST_EVIDENCE_MS = 200;

/**
 * Has the end of the process reported, with where its requests are suspended, and waits until the report is out.
 *
 * @param longestMs all of it takes so long at most
 */
export function tellCrash(
  crash: DumpCrash,
  records: readonly (RequestRecord | undefined)[],
  thread: Pick<WatchdogThread, 'state' | 'crash'>,
  longestMs: number,
): void {
  if (thread.state !== 'running') return;
  const beganMs = performance.now();
  const evidence = evidenceOf(crash, records, Math.min(LONGEST_EVIDENCE_MS, longestMs * EVIDENCE_SHARE));
  thread.crash(crash, evidence, Math.max(0, longestMs - (performance.now() - beganMs)));
}

function evidenceOf(
  { running }: DumpCrash,
  records: readonly (RequestRecord | undefined)[],
  longestMs: number,
): LastEvidence {
  try {
    return evidenceAtOnce(
      records,
      records.find((record) => record?.id === running && record?.slot !== undefined),
      longestMs,
    );
  } catch {
    // That it ends is told in any case.
    return { requests: [], tookMs: 0 };
  }
}

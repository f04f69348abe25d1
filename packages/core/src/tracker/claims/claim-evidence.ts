import { capturedFrames } from '@hangwatch/async-hooks-helpers';
import type { DumpFrame, DumpHold, DumpWait } from '@hangwatch/protocol';
import { resourceText } from '../../shared/resource-text.ts';
import { clockSince } from '../../shared/slot-layout.ts';
import type { RequestRecord } from '../request-record.ts';
import { ClaimRecord } from './claim-record.ts';

/** Claims shown of one request, the newest. */
const MAX_SHOWN = 100;

/** What a request holds and waits for, oldest first. */
export function claimEvidence(
  record: RequestRecord,
  nowMs: number,
): { readonly holds: DumpHold[]; readonly waits: DumpWait[] } {
  const holds: DumpHold[] = [];
  const waits: DumpWait[] = [];
  for (const claim of ClaimRecord.of(record)) {
    if (holds.length + waits.length >= MAX_SHOWN) break;
    const { name, type } = claim.resource.traits;
    const sinceMs = clockSince(nowMs, claim.sinceClock);
    if (claim.state === 'waiting') waits.unshift({ type, label: name, sinceMs });
    else {
      const site = claimSite(claim);
      holds.unshift({ resource: resourceText(type, name), sinceMs, ...(site === undefined ? {} : { site }) });
    }
  }
  return { holds, waits };
}

/** The innermost function of the application that made the claim. */
export function claimSite({ captured }: ClaimRecord): DumpFrame | undefined {
  if (captured === undefined) return undefined;
  const frames = capturedFrames(captured).filter(({ line }) => line > 0);
  const site = frames.find(({ kind }) => kind === 'app') ?? frames.find(({ kind }) => kind === 'dependency');
  return site === undefined ? undefined : { ...site };
}

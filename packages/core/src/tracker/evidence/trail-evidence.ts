import type { DumpTrailEntry } from '@hangwatch/protocol';
import { clockSince } from '../../shared/slot-layout.ts';
import { redactData } from '../places/redact-data.ts';
import { TRAIL_LENGTH } from '../places/trail.ts';
import type { RequestRecord } from '../request-record.ts';

/** Places shown of a request that merely is in flight. */
const MOVING_LENGTH = 4;

/** The last places that the request has passed, oldest first. Where they are is looked up for stuck requests only. */
export function trailEvidence(record: RequestRecord, stuck: boolean, nowMs: number): DumpTrailEntry[] {
  return record.trail.last(stuck ? TRAIL_LENGTH : MOVING_LENGTH).map(({ site, atMs, data }) => {
    const place = stuck ? site.place() : undefined;
    return {
      label: site.label,
      ageMs: clockSince(nowMs, atMs),
      ...place,
      ...(data === undefined ? {} : { data: redactData(data) }),
    };
  });
}

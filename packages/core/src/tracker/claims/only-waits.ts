import { awaitsOnly } from '@hangwatch/async-hooks-helpers';
import { kProgress, kSequence } from '../../shared/slot-layout.ts';
import type { RequestRecord } from '../request-record.ts';
import type { FoundWaits } from '../waits/outbound-sources.ts';
import { OutboundWait } from '../waits/outbound-wait.ts';
import { ClaimRecord } from './claim-record.ts';

/** Where a request stood when it was found to wait for its claims alone. */
interface Standing {
  readonly sequence: number;
  readonly progress: number;
}

/** Requests that await nothing but their claims, and where they stood then. */
export type OnlyWaiting = ReadonlyMap<RequestRecord, Standing>;

/** Looks which requests await nothing but their claims. A generator; from macrotasks only. */
export function* whoOnlyWaits(
  records: readonly RequestRecord[],
  found: FoundWaits,
): Generator<undefined, OnlyWaiting, void> {
  const waiting = new Map<RequestRecord, Standing>();
  for (const record of records) {
    if (record.claims === undefined) continue;
    const standing = standingOf(record);
    const promises = promisesOf(record);
    if (promises.size === 0 || hasOther(record, found)) continue;
    if (yield* awaitsOnly(record, promises, record.ownPromise)) waiting.set(record, standing);
    yield;
  }
  return waiting;
}

/** Whether it still stands where it stood: then what was found still holds. */
export function stillOnlyWaits(record: RequestRecord, waiting: OnlyWaiting): boolean {
  const then = waiting.get(record);
  if (then === undefined || record.slot === undefined || record.outbound !== undefined) return false;
  const { sequence, progress } = standingOf(record);
  return sequence === then.sequence && progress === then.progress;
}

function standingOf({ cells, base }: RequestRecord): Standing {
  return { sequence: cells[base + kSequence] ?? 0, progress: cells[base + kProgress] ?? 0 };
}

/** What is awaited until claims are granted. Without one that waits there is nothing to be proven. */
function promisesOf(record: RequestRecord): Set<object> {
  const promises = new Set<object>();
  let waits = false;
  for (const { state, promise, inner, runs, timeoutMs } of ClaimRecord.of(record)) {
    if (promise === undefined || (state === 'held' && !runs)) continue;
    if (state === 'waiting' && timeoutMs === undefined) waits = true;
    promises.add(promise);
    if (inner !== undefined) promises.add(inner);
  }
  return waits ? promises : new Set();
}

/** Something else may make it go on: an outbound call, its client, a promise that it is known to wait for. */
function hasOther(record: RequestRecord, found: FoundWaits): boolean {
  if (record.outbound !== undefined) OutboundWait.sweep(record);
  const { outbound, watched, subject, owner } = record;
  if (outbound !== undefined || found.has(record) || subject === undefined) return true;
  const nowMs = owner.clock[0] ?? 0;
  if ((watched?.waits(nowMs).length ?? 0) > 0) return true;
  return subject.client(nowMs)?.upload !== undefined;
}

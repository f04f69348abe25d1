import { type ContextAwaits, lookAtAwaits } from '@hangwatch/async-hooks-helpers';
import { kProgress, kSequence } from '../../shared/slot-layout.ts';
import type { RequestRecord } from '../request-record.ts';
import type { FoundWaits } from '../waits/outbound-sources.ts';
import { OutboundWait } from '../waits/outbound-wait.ts';
import { ClaimRecord } from './claim-record.ts';
import { type SharedModule, sharedModules } from './shared-modules.ts';

/** Where a request stood when it was looked at. */
interface Standing {
  readonly sequence: number;
  readonly progress: number;
}

/** What requests wait for, and where they stood then: of who has moved since it no longer holds. */
export class OnlyWaiting {
  readonly #standings: ReadonlyMap<RequestRecord, Standing>;
  readonly #waitsOnly: ReadonlySet<RequestRecord>;
  /** Modules that several of them import. */
  readonly modules: readonly SharedModule[];

  constructor(
    standings: ReadonlyMap<RequestRecord, Standing> = new Map(),
    waitsOnly: ReadonlySet<RequestRecord> = new Set(),
    modules: readonly SharedModule[] = [],
  ) {
    this.#standings = standings;
    this.#waitsOnly = waitsOnly;
    this.modules = modules;
  }

  /** Whether it stands where it stood. */
  standsStill(record: RequestRecord): boolean {
    const then = this.#standings.get(record);
    if (then === undefined || record.slot === undefined || OutboundWait.hasOther(record)) return false;
    const { sequence, progress } = standingOf(record);
    return sequence === then.sequence && progress === then.progress;
  }

  /** Whether it still awaits nothing but its claims. */
  holdsFor(record: RequestRecord): boolean {
    return this.#waitsOnly.has(record) && this.standsStill(record);
  }
}

/**
 * Looks which requests await nothing but their claims, and modules that another one evaluates. A generator; from macrotasks only.
 *
 * @param importers those that import something
 */
export function* whoOnlyWaits(
  records: readonly RequestRecord[],
  found: FoundWaits,
  importers: ReadonlySet<RequestRecord>,
): Generator<undefined, OnlyWaiting, void> {
  const standings = new Map<RequestRecord, Standing>();
  const looked = new Map<RequestRecord, ContextAwaits>();
  for (const record of records) {
    if (record.claims === undefined && !importers.has(record)) continue;
    const standing = standingOf(record);
    const awaits = yield* lookAtAwaits(record);
    if (awaits === undefined) continue;
    standings.set(record, standing);
    looked.set(record, awaits);
    yield;
  }
  const modules = sharedModules(looked);
  const waitsOnly = new Set<RequestRecord>();
  for (const [record, awaits] of looked) {
    const { claims, evaluations, waits } = promisesOf(record, modules);
    if (!waits || hasOther(record, found)) continue;
    if (awaits.only(claims, record.ownPromise, evaluations)) waitsOnly.add(record);
    yield;
  }
  return new OnlyWaiting(standings, waitsOnly, modules);
}

function standingOf({ cells, base }: RequestRecord): Standing {
  return { sequence: cells[base + kSequence] ?? 0, progress: cells[base + kProgress] ?? 0 };
}

/** What is awaited until claims are granted and modules evaluated. Where none of it is waited for, there is nothing to be proven. */
function promisesOf(record: RequestRecord, modules: readonly SharedModule[]) {
  const [claims, evaluations] = [new Set<object>(), new Set<object>()];
  let waits = false;
  for (const { state, promise, inner, runs, timeoutMs } of ClaimRecord.of(record)) {
    if (promise === undefined || (state === 'held' && !runs)) continue;
    if (state === 'waiting' && timeoutMs === undefined) waits = true;
    claims.add(promise);
    if (inner !== undefined) claims.add(inner);
  }
  for (const { promise, holder, waiters } of modules) {
    const isWaiter = waiters.some((each) => each.record === record);
    if (isWaiter || holder.record === record) evaluations.add(promise);
    waits ||= isWaiter;
  }
  return { claims, evaluations, waits };
}

/** Something else may make it go on: an outbound call, its client, a promise that it is known to wait for. */
function hasOther(record: RequestRecord, found: FoundWaits): boolean {
  if (record.outbound !== undefined) OutboundWait.sweep(record);
  const { watched, subject, owner } = record;
  if (OutboundWait.hasOther(record) || found.has(record) || subject === undefined) return true;
  const nowMs = owner.clock[0] ?? 0;
  if ((watched?.waits(nowMs).length ?? 0) > 0) return true;
  return subject.client(nowMs)?.upload !== undefined;
}

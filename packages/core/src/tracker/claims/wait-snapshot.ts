import type { DumpFrame } from '@hangwatch/protocol';
import { clockSince } from '../../shared/slot-layout.ts';
import type { Claim, Party, SharedResource, WaitSnapshot } from '../../shared/wait-snapshot.ts';
import type { RequestRecord } from '../request-record.ts';
import { claimSite } from './claim-evidence.ts';
import { ClaimRecord } from './claim-record.ts';
import { mayStillRun } from './may-still-run.ts';
import type { OnlyWaiting } from './only-waits.ts';
import type { Importer, SharedModule } from './shared-modules.ts';
import type { TrackedResource } from './tracked-resource.ts';

/** Claims in one snapshot. Of what is left out nothing is proven. */
const MAX_CLAIMS = 20_000;
/** Claims whose place is looked up: some microseconds each. */
const MAX_SITES = 500;

/**
 * Who waits for and who holds what, at this very moment: taken in one go, so that no two of its facts are of different moments.
 *
 * @param records those in flight
 * @param waiting see `whoOnlyWaits`; of whoever has moved since, it no longer holds
 * @returns `undefined` where none of them claims anything or waits for another's module
 */
export function waitSnapshot(
  records: readonly RequestRecord[],
  waiting: OnlyWaiting,
  nowMs: number,
): WaitSnapshot | undefined {
  const writer = new SnapshotWriter(waiting, nowMs);
  for (const record of records) for (const claim of ClaimRecord.of(record)) writer.addResource(claim.resource);
  // Whoever has gone on may have come to the end of it.
  for (const each of waiting.modules) if (waiting.standsStill(each.holder.record)) writer.addModule(each);
  return writer.isEmpty ? undefined : writer.write();
}

class SnapshotWriter {
  readonly #waiting: OnlyWaiting;
  readonly #nowMs: number;
  readonly #tracked = new Map<TrackedResource, number>();
  readonly #parties: Party[] = [];
  readonly #partyOf = new Map<RequestRecord | number, number>();
  readonly #claims: Claim[] = [];
  readonly #modules: SharedModule[] = [];
  readonly #ends = new Map<RequestRecord, string | undefined>();
  #sites = 0;

  constructor(waiting: OnlyWaiting, nowMs: number) {
    this.#waiting = waiting;
    this.#nowMs = nowMs;
  }

  get isEmpty(): boolean {
    return this.#tracked.size === 0 && this.#modules.length === 0;
  }

  addResource(resource: TrackedResource): void {
    if (!this.#tracked.has(resource)) this.#tracked.set(resource, this.#tracked.size);
  }

  addModule(module: SharedModule): void {
    this.#modules.push(module);
  }

  write(): WaitSnapshot {
    const resources = [...this.#tracked].map(([tracked, index]) => this.#resource(tracked, index));
    const modules = this.#modules.map((module, i) => this.#module(module, resources.length + i));
    return { parties: this.#parties, resources: [...resources, ...modules], claims: this.#claims };
  }

  #resource(tracked: TrackedResource, index: number): SharedResource {
    const { name, type, reentrant, fair, shared } = tracked.traits;
    let held = 0;
    let isWhole = true;
    const claims = [...tracked.claims()];
    const isContended = claims.some(({ state }) => state === 'waiting');
    for (const claim of claims) {
      if (claim.state === 'held') held += shared ? 1 : claim.amount;
      if (this.#claims.length >= MAX_CLAIMS) isWhole = false;
      else this.#claims.push(this.#claim(claim, index, isContended));
    }
    const trusted = isWhole && !tracked.isDoubtful && agrees(tracked, held);
    return { type, name, capacity: tracked.capacity, reentrant, fair, trusted, endedBy: [] };
  }

  /** Only its own code ends the hold, and nobody can cancel the wait. */
  #module({ name, holder, waiters, strangers }: SharedModule, resource: number): SharedResource {
    this.#claims.push(this.#imported(holder, resource, 'held'));
    for (const waiter of waiters) {
      if (this.#waiting.standsStill(waiter.record)) this.#claims.push(this.#imported(waiter, resource, 'waiting'));
    }
    const endedBy = strangers.map((record) => this.#party({ record, ended: undefined }));
    return { type: 'import', name, capacity: 1, reentrant: false, fair: false, trusted: true, endedBy };
  }

  #imported({ record, sinceClock, site }: Importer, resource: number, state: Claim['state']): Claim {
    return {
      party: this.#party({ record, ended: undefined }),
      resource,
      state,
      amount: 1,
      sinceMs: clockSince(this.#nowMs, sinceClock),
      mayEndBy: undefined,
      timesOutMs: undefined,
      site: site === undefined ? undefined : { ...site },
    };
  }

  #claim(claim: ClaimRecord, resource: number, isContended: boolean): Claim {
    const { state, amount, sinceClock, timeoutMs } = claim;
    const sinceMs = clockSince(this.#nowMs, sinceClock);
    const party = this.#party(claim);
    return {
      party,
      resource,
      state: state === 'held' ? 'held' : 'waiting',
      amount,
      sinceMs,
      mayEndBy: isContended ? this.#endOf(claim, this.#parties[party]) : undefined,
      timesOutMs: timeoutMs === undefined || state === 'held' ? undefined : Math.max(0, timeoutMs - sinceMs),
      site: isContended || claim.record !== undefined ? this.#site(claim) : undefined,
    };
  }

  /** Who is known to go on anyway is not looked at. */
  #endOf({ state, record, runs, scoped, resource }: ClaimRecord, party: Party | undefined): string | undefined {
    if (record === undefined || party?.waitsOnly !== true) return undefined;
    if (state === 'held' ? runs || scoped : !resource.traits.cancellable) return undefined;
    if (!this.#ends.has(record)) this.#ends.set(record, mayStillRun(record));
    return this.#ends.get(record);
  }

  #party({ record, ended }: Pick<ClaimRecord, 'record' | 'ended'>): number {
    const key = record ?? ended?.id ?? 0;
    let party = this.#partyOf.get(key);
    if (party === undefined) {
      party = this.#parties.push(this.#describe(record, ended)) - 1;
      this.#partyOf.set(key, party);
    }
    return party;
  }

  #describe(record: RequestRecord | undefined, ended: ClaimRecord['ended']): Party {
    if (record !== undefined) {
      const name = `${record.method} ${record.route ?? record.subject?.shownPath ?? ''}`;
      return { kind: 'request', request: record.id, name, waitsOnly: this.#waiting.holdsFor(record) };
    }
    if (ended !== undefined) return { kind: 'ended', request: ended.id, name: ended.name, waitsOnly: false };
    return { kind: 'outside', request: 0, name: '', waitsOnly: false };
  }

  #site(claim: ClaimRecord): DumpFrame | undefined {
    if (claim.captured === undefined || this.#sites >= MAX_SITES) return undefined;
    this.#sites += 1;
    return claimSite(claim);
  }
}

/** Whether the thing itself counts as much in use as the claims say. */
function agrees({ traits: { inUse } }: TrackedResource, held: number): boolean {
  if (inUse === undefined) return true;
  try {
    return inUse() === held;
  } catch {
    return false;
  }
}

import type { DumpFrame } from '@hangwatch/protocol';

/** Who waits for, or holds, a resource. */
export interface Party {
  /** A request in flight, one that has ended since, or work outside of any. */
  readonly kind: 'request' | 'ended' | 'outside';
  /** The request's number; 0 outside of any. */
  readonly request: number;
  /** `GET /reports`; of work outside of any `''`. */
  readonly name: string;
  /** All that its code awaits are claims of this snapshot, and nothing outbound of it is pending: only a grant can resume one of its awaits. */
  readonly waitsOnly: boolean;
}

/** A lock, pool or queue that somebody waits for. */
export interface SharedResource {
  /** `lock`, `pool`, `queue`. */
  readonly type: string;
  readonly name: string;
  /** How much of it can be held at once. */
  readonly capacity: number;
  /** Who holds some of it is given more without waiting for itself. */
  readonly reentrant: boolean;
  /** Nobody is served before those who came earlier. */
  readonly fair: boolean;
  /** Whether what is known to be held is all that is, and is released by its holders alone. If not, nothing is proven by it. */
  readonly trusted: boolean;
  /** Parties, by index, each of whom may end the waits for it if it goes on: as one whose module fails, which another one needs. */
  readonly endedBy: readonly number[];
}

/** One party's wait for, or hold of, one resource. Of one resource in the order in which they came. */
export interface Claim {
  /** Index of the party. */
  readonly party: number;
  /** Index of the resource. */
  readonly resource: number;
  readonly state: 'waiting' | 'held';
  /** How much of the capacity it takes. */
  readonly amount: number;
  /** Since it waits, or holds. */
  readonly sinceMs: number;
  /** What may release or cancel it though all awaits of its party stand still, in words; `undefined`: nothing may. */
  readonly mayEndBy: string | undefined;
  /** How long the wait lasts at most from now; `undefined`: until it is granted. */
  readonly timesOutMs: number | undefined;
  /** Where the claim was made. */
  readonly site: DumpFrame | undefined;
}

/** Who waits for and who holds what, all at one moment. */
export interface WaitSnapshot {
  readonly parties: readonly Party[];
  readonly resources: readonly SharedResource[];
  readonly claims: readonly Claim[];
}

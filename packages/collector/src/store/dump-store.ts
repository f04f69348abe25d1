import type { Dump, DumpKind, Evidence } from '@hangwatch/protocol';

/**
 * Where dumps are kept. Implementations keep to one contract, which `dump-store.contract.test.ts` runs over all of them.
 *
 * Dumps are kept in the order of their receipt; `position` is a dump's place in it: it grows, and is never used again.
 */
export interface DumpStore {
  /**
   * Stores dumps, all or none. When it resolves they survive the process and the machine. A dump whose id is there already, also
   * earlier in the same call, is left as it is and counted as a duplicate.
   */
  add(dumps: readonly NewDump[]): Promise<AddResult>;
  /** The dump with this id. */
  find(id: string): Promise<StoredDump | undefined>;
  /** What a list shows of dumps: newest first, or with `after` oldest first from there. */
  list(query: ListQuery): Promise<StoredDump[]>;
  /** The dumps themselves, as the JSON text that was added, by position; those that are gone by now are left out. */
  bodies(positions: readonly number[]): Promise<Map<number, string>>;
  /** Position of the newest dump, 0 where there is none. */
  latest(): Promise<number>;
  /** Deletes what is older than `receivedBefore` or beyond the newest `maxDumps`; returns how many. */
  prune(limits: PruneLimits): Promise<number>;
  /** Rejects where the store does not work. */
  check(): Promise<void>;
  /** Ends; idempotent. */
  close(): Promise<void>;
}

/** A dump to be stored, with what lists show of it. See `newDump`. */
export interface NewDump {
  readonly dump: Dump;
  /** The dump as JSON, with the fields that this version does not know. */
  readonly json: string;
  readonly receivedAt: Date;
}

/** What {@link DumpStore.add} did. */
export interface AddResult {
  accepted: number;
  duplicates: number;
}

/** What lists show of a dump. Texts are safe to print. */
export interface StoredDump {
  position: number;
  id: string;
  kind: DumpKind;
  /** The sender's time, ISO 8601. */
  at: string;
  /** The collector's time, ISO 8601. */
  receivedAt: string;
  process: { service: string; hostname: string; pid: number };
  verdict: { evidence: Evidence; summary: string; fingerprint?: string };
  /** Requests that are stuck, and all requests in the dump. */
  stuck: number;
  inFlight: number;
  /** UTF-16 units of the dump's JSON. */
  size: number;
}

/** Which dumps {@link DumpStore.list} returns. */
export interface ListQuery {
  /** At most so many. */
  limit: number;
  /** Only those received before this position. */
  before?: number;
  /** Only those received after this position, oldest first. */
  after?: number;
  /** Only those whose id begins so. */
  idPrefix?: string;
}

/** What {@link DumpStore.prune} keeps. */
export interface PruneLimits {
  receivedBefore?: Date;
  maxDumps?: number;
}

/**
 * What has become of dumps, exact. Every dump given to `send` ends in one of acknowledged, rejected, printed, stderrLost and
 * dropped, or is still waiting in memory or in the spool. (Dumps that earlier processes left in a shared spool
 * count where they end, too, without having been sent here.)
 */
export interface DeliveryCounters {
  /** Dumps given to `send`. */
  readonly sent: number;
  /** Dumps that a collector has taken, replayed ones included. */
  readonly acknowledged: number;
  /** Times a dump was written to the spool. */
  readonly spooled: number;
  /** Dumps that a collector has taken from the spool. */
  readonly replayed: number;
  /** Dumps that are lost: the spool was full, a spool file was broken, the dump could not be turned into JSON. */
  readonly dropped: number;
  /** Dumps that a collector refuses for good; kept in the spool as `.rejected`. */
  readonly rejected: number;
  /** Compressed bytes that collectors have taken. */
  readonly bytes: number;
  /** Dumps written, readable, to stderr. */
  readonly printed: number;
  /** Dumps that stderr did not take, wholly or in part. */
  readonly stderrLost: number;
}

/** The same, to be counted up. */
export type MutableCounters = { -readonly [Name in keyof DeliveryCounters]: DeliveryCounters[Name] };

/** All at zero. */
export function newCounters(): MutableCounters {
  return {
    sent: 0,
    acknowledged: 0,
    spooled: 0,
    replayed: 0,
    dropped: 0,
    rejected: 0,
    bytes: 0,
    printed: 0,
    stderrLost: 0,
  };
}

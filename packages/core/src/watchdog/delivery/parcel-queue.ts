import type { Clock } from './clock.ts';
import type { Parcel } from './parcel.ts';

interface Waiting {
  readonly parcel: Parcel;
  readonly sinceMs: number;
}

/**
 * Parcels in memory, oldest first, bounded by number and by bytes.
 *
 * @example
 * for (const parcel of queue.push(newest)) lastResort(parcel); // what had to make room
 */
export class ParcelQueue {
  readonly #limit: number;
  readonly #maxBytes: number;
  readonly #clock: Clock;
  readonly #waiting: Waiting[] = [];
  #bytes = 0;

  /** @param limit most parcels @param maxBytes most compressed bytes; one parcel alone may exceed them only by not being queued */
  constructor(limit: number, maxBytes: number, clock: Clock) {
    this.#limit = limit;
    this.#maxBytes = maxBytes;
    this.#clock = clock;
  }

  get length(): number {
    return this.#waiting.length;
  }

  get bytes(): number {
    return this.#bytes;
  }

  /** Milliseconds the oldest parcel has waited; undefined when there is none. */
  get oldestAgeMs(): number | undefined {
    const oldest = this.#waiting[0];
    return oldest && this.#clock.now() - oldest.sinceMs;
  }

  /** Adds the newest; returns what no longer fits: the oldest, or the parcel itself if it alone is too large. */
  push(parcel: Parcel): Parcel[] {
    if (parcel.gzip.length > this.#maxBytes || this.#limit < 1) return [parcel];
    this.#waiting.push({ parcel, sinceMs: this.#clock.now() });
    this.#bytes += parcel.gzip.length;
    return this.#trim();
  }

  /** Puts back what was taken and not delivered, at the front; returns what no longer fits, which may be the parcel itself. */
  putBack(parcel: Parcel): Parcel[] {
    this.#waiting.unshift({ parcel, sinceMs: this.#clock.now() });
    this.#bytes += parcel.gzip.length;
    return this.#trim();
  }

  /** Takes the oldest. */
  shift(): Parcel | undefined {
    const oldest = this.#waiting.shift();
    if (oldest) this.#bytes -= oldest.parcel.gzip.length;
    return oldest?.parcel;
  }

  #trim(): Parcel[] {
    const removed: Parcel[] = [];
    while (this.#waiting.length > this.#limit || this.#bytes > this.#maxBytes) {
      const oldest = this.shift();
      if (oldest) removed.push(oldest);
    }
    return removed;
  }
}

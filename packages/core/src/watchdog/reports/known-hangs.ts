import type { Watched } from '../table/scanner.ts';
import { REFILL_MS } from './storm-control.ts';
import { TokenBucket } from './token-bucket.ts';

/** Looks at what is probably known that may follow each other at once; after that, one each {@link REFILL_MS}. */
const BURST = 20;
/** For so long a hang that was suppressed is expected to be the same again. */
const EXPECTED_MS = 60_000;
/** Places remembered; the least recently seen is forgotten first. */
const MAX_PLACES = 1_000;

/**
 * Tells, from the table alone, which suspects will probably be no news: requests that were reported already, and those that stand where hangs are being
 * suppressed. Of them little is asked of the main thread, and seldom: in a steady storm each scan finds more of the same.
 */
export class KnownHangs {
  readonly #looks: TokenBucket;
  /** When a hang at a place was last suppressed. */
  readonly #places = new Map<string, number>();

  constructor(nowMs: number) {
    this.#looks = new TokenBucket(BURST, REFILL_MS, nowMs);
  }

  /** Whether it will probably be no news. */
  has(watched: Watched, nowMs: number): boolean {
    if (watched.episode !== undefined) return true;
    const suppressedMs = this.#places.get(placeOf(watched));
    return suppressedMs !== undefined && nowMs - suppressedMs < EXPECTED_MS;
  }

  /** Whether known ones may be looked at now. */
  mayLook(nowMs: number): boolean {
    const may = this.#looks.has(nowMs);
    if (may) this.#looks.take();
    return may;
  }

  /** When they may, all of them together. */
  nextLookMs(nowMs: number): number {
    return this.#looks.nextMs(nowMs);
  }

  /** These were suppressed: others of their kind were reported just before. */
  suppressed(hangs: readonly { readonly watched: Watched }[], nowMs: number): void {
    for (const place of new Set(hangs.map(({ watched }) => placeOf(watched)))) {
      this.#places.delete(place);
      this.#places.set(place, nowMs);
    }
    for (const place of this.#places.keys()) {
      if (this.#places.size <= MAX_PLACES) return;
      this.#places.delete(place);
    }
  }
}

/** All that the table says of where a request stands: numbers of texts. */
const placeOf = ({ reading: { method, route, checkpoint } }: Watched): string => `${method} ${route} ${checkpoint}`;

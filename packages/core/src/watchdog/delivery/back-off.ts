import type { Clock } from './clock.ts';

/** Bounds of a {@link BackOff}, in milliseconds. */
export interface BackOffLimits {
  /** The first failure waits at most this long; each further one twice as long. */
  readonly baseMs: number;
  /** No wait drawn by lot is longer. */
  readonly capMs: number;
  /** No wait is shorter: a lot of 0 must not become a busy loop. */
  readonly floorMs: number;
  /** Longest wait a server may ask for with Retry-After. */
  readonly askedCapMs: number;
}

/** The collector's limits: 1 s doubling to 5 minutes; an hour when the collector asks for it. */
export const COLLECTOR_BACK_OFF: BackOffLimits = {
  baseMs: 1_000,
  capMs: 300_000,
  floorMs: 250,
  askedCapMs: 3_600_000,
};

/**
 * When to try again: exponential back-off with full jitter, so that a thousand processes whose collector
 * comes back do not all call at once.
 *
 * Source: https://aws.amazon.com/builders-library/timeouts-retries-and-backoff-with-jitter/
 *
 * @example
 * const backOff = new BackOff(COLLECTOR_BACK_OFF, systemClock, Math.random);
 * backOff.failed();
 * backOff.waitMs; // 250 to 1000
 */
export class BackOff {
  readonly #limits: BackOffLimits;
  readonly #clock: Clock;
  readonly #random: () => number;
  #failures = 0;
  #readyAt = 0;

  constructor(limits: BackOffLimits, clock: Clock, random: () => number) {
    this.#limits = limits;
    this.#clock = clock;
    this.#random = random;
  }

  /** Failures in a row. */
  get failures(): number {
    return this.#failures;
  }

  /** Milliseconds until the next try is due; 0 = now. */
  get waitMs(): number {
    return this.#failures === 0 ? 0 : Math.max(0, this.#readyAt - this.#clock.now());
  }

  /**
   * A try failed. `askedMs` is what the server asked for (Retry-After): then the wait is never shorter than that, and at
   * most a tenth longer. `leastMs` makes the wait at least that long (a wrong token does not become right in a second).
   */
  failed(options: { askedMs?: number | undefined; leastMs?: number } = {}): void {
    const { baseMs, capMs, floorMs, askedCapMs } = this.#limits;
    // 2 ** 1024 is Infinity, which Math.min still handles.
    const ceilingMs = Math.min(capMs, baseMs * 2 ** this.#failures);
    this.#failures += 1;
    const lot = this.#random();
    let waitMs = Math.max(floorMs, lot * ceilingMs, options.leastMs ?? 0);
    if (options.askedMs !== undefined && options.askedMs > 0) {
      const askedMs = Math.min(options.askedMs, askedCapMs);
      waitMs = Math.max(floorMs, askedMs + lot * 0.1 * askedMs);
    }
    this.#readyAt = this.#clock.now() + waitMs;
  }

  /** A try succeeded: the next failure starts from the base again. */
  succeeded(): void {
    this.#failures = 0;
    this.#readyAt = 0;
  }
}

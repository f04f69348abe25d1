/**
 * Milliseconds during which the watchdog was awake and watched. A suspended laptop, a frozen Lambda or SIGSTOP shows as one long
 * scan; time grows by at most two scan intervals for it, so nothing looks stuck that merely did not run.
 */
export class AwakeClock {
  readonly #intervalMs: number;
  #nowMs: number;
  #lastMs: number;

  /**
   * @param monotonicMs a clock that never goes back, milliseconds
   * @param startMs where an earlier watchdog of the same table left off
   */
  constructor(intervalMs: number, monotonicMs: number, startMs = 0) {
    this.#nowMs = startMs;
    this.#intervalMs = intervalMs;
    this.#lastMs = monotonicMs;
  }

  get nowMs(): number {
    return this.#nowMs;
  }

  /** Called at each scan. */
  advance(monotonicMs: number): number {
    this.#nowMs += Math.min(Math.max(0, monotonicMs - this.#lastMs), 2 * this.#intervalMs);
    this.#lastMs = monotonicMs;
    return this.#nowMs;
  }

  /** Called when time goes on after a pause in which nothing was in flight, or could have moved. */
  resume(monotonicMs: number): void {
    this.#lastMs = monotonicMs;
  }
}

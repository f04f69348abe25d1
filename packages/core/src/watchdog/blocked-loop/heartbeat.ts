import { kBeat, kBeatAsked } from '../../shared/slot-layout.ts';
import type { ToMain } from '../../shared/worker-protocol.ts';

/**
 * Whether the main thread's event loop turns. The watchdog asks by message, the main thread answers by a store into the shared header: no
 * timer of its own, and an answer that is seen however busy this thread was.
 */
export class Heartbeat {
  readonly #header: Uint32Array;
  readonly #post: (message: ToMain) => void;
  readonly #intervalMs: number;
  #lastMs = Number.NaN;
  #silentMs = 0;

  constructor(header: Uint32Array, post: (message: ToMain) => void, intervalMs: number) {
    this.#header = header;
    this.#post = post;
    this.#intervalMs = intervalMs;
  }

  /** An answer may be ahead of the question where `rest` and the main thread wrote at once. */
  get answered(): boolean {
    return ((Atomics.load(this.#header, kBeatAsked) - Atomics.load(this.#header, kBeat)) | 0) <= 0;
  }

  /**
   * Looks for the answer and, if it is there, asks again. To be called every interval, or more often.
   *
   * @param nowMs a clock that never goes back
   * @returns for how many milliseconds the question has gone unanswered. A suspended laptop, a frozen container or SIGSTOP shows as one
   * long interval, and counts as two at most: this thread did not run either
   */
  tick(nowMs: number): number {
    // What an earlier watchdog has asked may never have been sent.
    if (Number.isNaN(this.#lastMs)) this.rest(nowMs);
    const sinceMs = Math.max(0, nowMs - this.#lastMs);
    this.#lastMs = nowMs;
    if (!this.answered) {
      this.#silentMs += Math.min(sinceMs, 2 * this.#intervalMs);
      return this.#silentMs;
    }
    this.#silentMs = 0;
    Atomics.add(this.#header, kBeatAsked, 1);
    this.#post({ type: 'beat' });
    return 0;
  }

  /** Nothing is in flight: what has been asked may be answered whenever. */
  rest(nowMs: number): void {
    this.#lastMs = nowMs;
    this.#silentMs = 0;
    // From here on a question that was left behind counts as answered.
    Atomics.store(this.#header, kBeatAsked, Atomics.load(this.#header, kBeat));
  }
}

import type { Clock, Timer } from '../clock.ts';

interface Pending extends Timer {
  readonly at: number;
  readonly callback: () => void;
}

/** A clock that a test turns by hand: timers fire in order while `advance` runs, and promise callbacks between them. */
export class ManualClock implements Clock {
  #now = 1_000;
  readonly #epochMs = Date.UTC(2026, 0, 1);
  readonly #timers = new Set<Pending>();

  now(): number {
    return this.#now;
  }

  wallNow(): number {
    return this.#epochMs + this.#now;
  }

  setTimeout(callback: () => void, delayMs: number): Timer {
    const timer: Pending = { at: this.#now + Math.max(0, delayMs), callback };
    this.#timers.add(timer);
    return timer;
  }

  clearTimeout(timer: Timer | undefined): void {
    if (timer) this.#timers.delete(timer as Pending);
  }

  /** Timers that have not fired. */
  get pending(): number {
    return this.#timers.size;
  }

  /** Milliseconds until the next timer is due. */
  get nextInMs(): number | undefined {
    const at = Math.min(...[...this.#timers].map((timer) => timer.at));
    return Number.isFinite(at) ? at - this.#now : undefined;
  }

  /** Moves time on, firing what is due on the way. */
  async advance(byMs: number): Promise<void> {
    const end = this.#now + byMs;
    await settle();
    for (;;) {
      const due = [...this.#timers].filter((timer) => timer.at <= end).sort((a, b) => a.at - b.at)[0];
      if (!due) break;
      this.#timers.delete(due);
      this.#now = Math.max(this.#now, due.at);
      due.callback();
      await settle();
    }
    this.#now = end;
  }
}

/** Lets promise callbacks run that need no input or output. */
export async function settle(): Promise<void> {
  for (let turn = 0; turn < 5; turn += 1) await new Promise<void>((resolve) => setImmediate(resolve));
}

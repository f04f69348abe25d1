// Another process may write to the same database: nobody tells this one.
const LOOK_AGAIN_MS = 1_000;

/** Wakes those who wait for new dumps. */
export class DumpFeed {
  #waiting = new Set<() => void>();
  #closed = false;

  /** New dumps are there. */
  announce(): void {
    for (const wake of [...this.#waiting]) wake();
  }

  /** Nobody waits any longer, now or later. */
  close(): void {
    this.#closed = true;
    this.announce();
  }

  /** Whether {@link close} was called. */
  get closed(): boolean {
    return this.#closed;
  }

  /** Resolves when it is worth to look again: at an announcement, at the deadline, when the signal aborts, and once a second. */
  async next(remainingMs: number, signal: AbortSignal): Promise<void> {
    if (this.#closed || signal.aborted) return;
    await new Promise<void>((resolve) => {
      const wake = () => {
        clearTimeout(timer);
        signal.removeEventListener('abort', wake);
        this.#waiting.delete(wake);
        resolve();
      };
      const timer = setTimeout(wake, Math.min(remainingMs, LOOK_AGAIN_MS));
      signal.addEventListener('abort', wake, { once: true });
      this.#waiting.add(wake);
    });
  }
}

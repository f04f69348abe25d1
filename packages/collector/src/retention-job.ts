import type { ResolvedOptions } from './resolve-options.ts';
import type { DumpStore } from './store/dump-store.ts';

/** Deletes old dumps from time to time, until it is stopped. */
export class RetentionJob {
  readonly #store: DumpStore;
  readonly #retention: ResolvedOptions['retention'];
  readonly #onInternalError: (error: unknown) => void;
  #timer: NodeJS.Timeout | undefined;
  #running: Promise<void> = Promise.resolve();

  constructor(
    store: DumpStore,
    { retention, onInternalError }: Pick<ResolvedOptions, 'retention' | 'onInternalError'>,
  ) {
    this.#store = store;
    this.#retention = retention;
    this.#onInternalError = onInternalError;
  }

  /** Looks now and at each interval; does not keep the process alive. */
  start(): void {
    if (this.#timer !== undefined) return;
    this.#timer = setInterval(() => this.#look(), this.#retention.intervalMs).unref();
    this.#look();
  }

  /** Resolves when a look that is under way has ended. */
  async stop(): Promise<void> {
    clearInterval(this.#timer);
    this.#timer = undefined;
    await this.#running;
  }

  #look(): void {
    // One after the other: a look that takes longer than the interval is not joined by a second.
    this.#running = this.#running.then(() => this.#prune()).catch(this.#onInternalError);
  }

  async #prune(): Promise<void> {
    const { maxAgeMs, maxDumps } = this.#retention;
    await this.#store.prune({
      ...(Number.isFinite(maxAgeMs) ? { receivedBefore: new Date(Date.now() - maxAgeMs) } : {}),
      ...(Number.isFinite(maxDumps) ? { maxDumps: Math.floor(maxDumps) } : {}),
    });
  }
}

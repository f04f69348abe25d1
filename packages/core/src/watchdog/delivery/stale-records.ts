import type { Clock } from './clock.ts';
import type { StaleRecord } from './spool-entries.ts';

/** A record is left alone for so long after it was first found stale. Its keeper, if there is one, freshens it every few seconds. */
const SETTLED_MS = 10_000;

interface Look extends StaleRecord {
  readonly sinceMs: number;
}

/**
 * Tells records of processes that are gone from those of processes that everything has stood still with: a machine that slept, a clock that
 * was set. Judged by this process's own monotonic clock: who lives has renewed its record by the second look.
 */
export class StaleRecords {
  readonly #clock: Pick<Clock, 'now'>;
  #looks: readonly Look[] = [];

  constructor(clock: Pick<Clock, 'now'>) {
    this.#clock = clock;
  }

  /** Those that have not changed since they were first found, long enough ago. */
  get abandoned(): readonly StaleRecord[] {
    const untilMs = this.#clock.now() - SETTLED_MS;
    return this.#looks.filter(({ sinceMs }) => sinceMs <= untilMs).map(({ file, writtenMs }) => ({ file, writtenMs }));
  }

  /** What there is at this look. */
  found(stale: readonly StaleRecord[]): void {
    const before = new Map(this.#looks.map((look) => [look.file, look]));
    const nowMs = this.#clock.now();
    this.#looks = stale.map(({ file, writtenMs }) => {
      const look = before.get(file);
      return { file, writtenMs, sinceMs: look?.writtenMs === writtenMs ? look.sinceMs : nowMs };
    });
  }
}

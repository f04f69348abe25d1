import { randomUUID } from 'node:crypto';
import type { Dump } from '@hangwatch/protocol';
import { FLAG_STAGED, FLAG_UNWATCHED } from '../../shared/slot-layout.ts';
import { elapsedMs, type Watched } from '../table/scanner.ts';
import { crashDump, type ProcessEnd } from './crash-dump.ts';
import type { DumpBase } from './dump-base.ts';

/** How old the record may become, where scans come often enough. */
const RENEW_MS = 1_000;

/** Keeps a dump somewhere that outlives the process, in place of the one before; `undefined`: nothing is to be kept any more. */
export type KeepRecord = (dump: Dump | undefined) => void;

/**
 * What would be known of this process if it died now, kept up to date on disk while a request in flight is older than half its timeout: who
 * dies by SIGKILL, an abort or a segmentation fault says nothing. Younger requests are not worth a file a second.
 */
export class LastRecord {
  readonly #base: DumpBase;
  readonly #keep: KeepRecord;
  /** As many scans as fit into {@link RENEW_MS}, and one at least. */
  readonly #renewMs: number;
  readonly #scanIntervalMs: number;
  /** Of whatever is said of the end of this process: receivers store the first that comes. */
  readonly #id = randomUUID();
  #keptAtMs: number | undefined;

  constructor(base: DumpBase, keep: KeepRecord, scanIntervalMs: number) {
    this.#base = base;
    this.#keep = keep;
    this.#renewMs = scanIntervalMs * Math.max(1, Math.floor(RENEW_MS / scanIntervalMs));
    this.#scanIntervalMs = scanIntervalMs;
  }

  /** Whether there is one. */
  get isKept(): boolean {
    return this.#keptAtMs !== undefined;
  }

  /** Milliseconds until it is to be renewed. Scans that come out of turn would put that off. */
  dueInMs(monotonicMs: number): number {
    return this.#keptAtMs === undefined ? Number.POSITIVE_INFINITY : this.#keptAtMs + this.#renewMs - monotonicMs;
  }

  /** Called at each scan. `follows`: the last report about one of these. */
  update(inFlight: readonly Watched[], follows: string | undefined, nowMs: number, monotonicMs: number): void {
    if (!inFlight.some((watched) => isOld(watched, nowMs))) {
      this.clear();
      return;
    }
    // Half a scan early or late is in time: timers are not exact.
    if (this.dueInMs(monotonicMs) > this.#scanIntervalMs / 2 && this.#keptAtMs !== undefined) return;
    this.#keptAtMs = monotonicMs;
    const crash = { cause: 'died', renewedEveryMs: this.#renewMs } as const;
    this.#keep(this.end({ crash, evidence: undefined, inFlight, follows, note: undefined, nowMs }));
  }

  /** There is news: the next scan renews it. */
  outdated(): void {
    if (this.#keptAtMs !== undefined) this.#keptAtMs = Number.NEGATIVE_INFINITY;
  }

  /** The process lives, and has nothing to say of that; or its end is told otherwise. */
  clear(): void {
    if (this.#keptAtMs === undefined) return;
    this.#keptAtMs = undefined;
    this.#keep(undefined);
  }

  /** The dump of the process's end. */
  end(end: Omit<ProcessEnd, 'id'>): Dump {
    return crashDump(this.#base, { ...end, id: this.#id });
  }
}

function isOld(watched: Watched, nowMs: number): boolean {
  const { flags, timeoutMs } = watched.reading;
  return (flags & (FLAG_UNWATCHED | FLAG_STAGED)) === 0 && elapsedMs(watched, nowMs) >= timeoutMs / 2;
}

import type { Clock } from './clock.ts';
import type { CountedSpool } from './counted-spool.ts';
import type { Parcel } from './parcel.ts';
import { StaleRecords } from './stale-records.ts';

/** Between two files of a replay. */
const REPLAY_MS = 250;
/** How often a healthy delivery looks for what others have left in the spool, and a broken spool is tried again. */
const RESCAN_MS = 60_000;

/** A parcel from the spool, and the file that it is claimed as. */
export interface Replayed {
  readonly file: string;
  readonly parcel: Parcel;
}

const INTERRUPTED = Symbol('interrupted');

/** Says when the spool is to be looked into, and takes what is there: one file at a time, with pauses. */
export class SpoolReplay {
  readonly #spool: Pick<CountedSpool, 'claim'>;
  readonly #clock: Clock;
  readonly #records: StaleRecords;
  /** On the monotonic clock. */
  #dueAt: number;
  #lookedAt = Number.NEGATIVE_INFINITY;
  /** The look that is under way: a disk, or the process that reads it, may take its time. */
  #looking: Promise<Replayed | undefined> | undefined;

  /** @param startMs the start of the application is not the time to read folders */
  constructor(spool: Pick<CountedSpool, 'claim'>, clock: Clock, startMs: number) {
    this.#spool = spool;
    this.#clock = clock;
    this.#records = new StaleRecords(clock);
    this.#dueAt = clock.now() + startMs;
  }

  /** Milliseconds until it is to be looked into; 0: now. */
  get dueInMs(): number {
    return Math.max(0, this.#dueAt - this.#clock.now());
  }

  /** There may be something in it, for now or soon. */
  expect(inMs: number): void {
    this.#dueAt = Math.min(this.#dueAt, this.#clock.now() + inMs);
  }

  /** A dump has arrived: what others have left in the meantime would arrive as well. */
  arrived(): void {
    if (this.#clock.now() - this.#lookedAt > RESCAN_MS) this.expect(REPLAY_MS);
  }

  /**
   * Takes the next parcel, if it is time and there is one.
   *
   * @param interrupted there is something else to do now: what the look under way finds is for the next call
   */
  async next(interrupted: Promise<unknown>): Promise<Replayed | undefined> {
    if (this.#looking === undefined && this.dueInMs > 0) return undefined;
    this.#looking ??= this.#look();
    const found = await Promise.race([this.#looking, interrupted.then((): typeof INTERRUPTED => INTERRUPTED)]);
    if (found === INTERRUPTED) return undefined;
    this.#looking = undefined;
    return found;
  }

  /** Nobody will ask again: the name of the file that the look under way has claimed, if it has. */
  async unasked(): Promise<string | undefined> {
    return (await this.#looking)?.file;
  }

  async #look(): Promise<Replayed | undefined> {
    this.#lookedAt = this.#clock.now();
    const result = await this.#spool.claim(this.#records.abandoned);
    if (result) this.#records.found(result.stale);
    const claimed = result?.claimed;
    const waitMs = result ? (result.retryInMs ?? Number.POSITIVE_INFINITY) : RESCAN_MS;
    this.#dueAt = this.#clock.now() + (claimed ? REPLAY_MS : waitMs);
    return claimed && { file: claimed.file, parcel: { label: claimed.file, gzip: claimed.gzip } };
  }
}

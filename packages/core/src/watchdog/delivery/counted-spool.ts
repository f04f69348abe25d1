import type { MutableCounters } from './counters.ts';
import type { Parcel } from './parcel.ts';
import type { Problems } from './problems.ts';
import type { ClaimResult, PutState } from './spool.ts';
import type { StaleRecord } from './spool-entries.ts';
import { toSpoolError } from './spool-error.ts';
import type { SpoolPort } from './spool-port.ts';

/** The spool with its results counted and its failures told; no method rejects. */
export class CountedSpool {
  readonly #port: SpoolPort;
  readonly #counters: MutableCounters;
  readonly #problems: Problems;
  readonly #storing = new Set<Parcel>();

  constructor(port: SpoolPort, counters: MutableCounters, problems: Problems) {
    this.#port = port;
    this.#counters = counters;
    this.#problems = problems;
  }

  /** See {@link SpoolPort}. */
  get inThread(): boolean {
    return this.#port.inThread;
  }

  /** Parcels on their way to disk. */
  get storing(): readonly Parcel[] {
    return [...this.#storing];
  }

  /** Stores a parcel. Its file; undefined if that failed. */
  async put(parcel: Parcel, as: PutState): Promise<string | undefined> {
    this.#storing.add(parcel);
    const stored = await this.#attempt(this.#port.put(parcel.gzip, as));
    this.#storing.delete(parcel);
    if (!stored) return undefined;
    if (as !== 'rejected') this.#counters.spooled += 1;
    if (stored.evicted > 0) {
      this.#counters.dropped += stored.evicted;
      this.#problems.tell('dumps-dropped', 'the spool folder is full: the oldest dumps are dropped');
    }
    return stored.file;
  }

  /** Takes the next parcel to post, `abandoned` records of others included; undefined if the spool failed. */
  async claim(abandoned: readonly StaleRecord[]): Promise<ClaimResult | undefined> {
    const result = await this.#attempt(this.#port.claim(abandoned));
    if (result && result.bad > 0) {
      this.#counters.dropped += result.bad;
      this.#problems.tell('spool-bad-file', 'a broken file in the spool folder was set aside as .bad');
    }
    return result;
  }

  /** Gives a claim back. Where that fails it comes free with its lease. */
  async release(file: string): Promise<void> {
    await this.#attempt(this.#port.release(file));
  }

  /** Removes a claim whose dump has arrived. Where that fails the dump is posted again: collectors know it by its id. */
  async discard(file: string): Promise<void> {
    await this.#attempt(this.#port.discard(file));
  }

  /** Keeps a claim that nobody shall post again; false if that failed. */
  async reject(file: string): Promise<boolean> {
    return (await this.#attempt(this.#port.setAside(file, 'rejected').then(() => true))) ?? false;
  }

  /** Keeps the record of this process. Where that fails, its death leaves no word. */
  async keepRecord(gzip: Buffer): Promise<void> {
    await this.#attempt(this.#port.keepRecord(gzip));
  }

  /** Removes the record of this process. */
  async forgetRecord(): Promise<void> {
    await this.#attempt(this.#port.forgetRecord());
  }

  /** Lets go of what the spool holds; what has been asked for is still done. */
  close(): void {
    this.#port.close();
  }

  async #attempt<T>(work: Promise<T>): Promise<T | undefined> {
    try {
      return await work;
    } catch (error) {
      const { code, message } = toSpoolError(error);
      this.#problems.tell(code, message);
      return undefined;
    }
  }
}

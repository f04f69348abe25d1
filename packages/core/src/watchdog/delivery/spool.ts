import { lstatSync } from 'node:fs';
import { join } from 'node:path';
import { presumedEnd } from './presumed-end.ts';
import {
  byTurn,
  byWorth,
  checkedSpoolName,
  isSetAside,
  listSpool,
  type SpoolEntry,
  type StaleRecord,
  writtenMs,
} from './spool-entries.ts';
import { SpoolError } from './spool-error.ts';
import { readChecked, removeIfThere, renameIfThere, writeWhole } from './spool-file.ts';
import { prepareSpoolFolder } from './spool-folder.ts';
import { formatSpoolName, namePart, newSpoolName, type SpoolName, type SpoolState } from './spool-names.ts';
import { SpoolRecord } from './spool-record.ts';

// A record that nobody has kept fresh for so long is taken for that of a process that is gone. Its keeper does so every few seconds; where
// the disk hangs, it is killed after 5 s, and the next one is started a minute later: time enough for that to happen twice.
const RECORD_LEASE_MS = 180_000;
// How soon records of others are looked at again: fresh ones, and stale ones.
const RECORD_LOOK_MS = 60_000;
const STALE_LOOK_MS = 10_000;

// Failures of the process, not of the file that was to be read.
const NOT_THE_FILE = new Set(['EMFILE', 'ENFILE', 'ENOMEM']);

/** What a {@link Spool} needs. */
export interface SpoolSettings {
  /** @default a folder of our own in the system's temporary folder */
  readonly spoolDir: string | undefined;
  /** Eight hexadecimal digits: dumps for other collectors in the same folder are left alone. */
  readonly destination: string;
  readonly instance: string;
  readonly maxFiles: number;
  readonly maxBytes: number;
  /** After this long without a result, a claim counts as abandoned: longer than any post may take. */
  readonly leaseMs: number;
}

/** What to store a parcel as. */
export type PutState = 'ready' | 'claimed' | 'rejected';

/** A parcel was stored; `evicted` older dumps had to make room. */
export interface PutResult {
  readonly file: string;
  readonly evicted: number;
}

/** A parcel to post, or none now; then `retryInMs` says when an abandoned claim can be taken over. `bad` files were set aside, `stale` records left alone. */
export interface ClaimResult {
  readonly claimed: { readonly file: string; readonly gzip: Buffer } | undefined;
  readonly retryInMs: number | undefined;
  readonly bad: number;
  readonly stale: readonly StaleRecord[];
}

/**
 * Dumps on disk, for when no collector answers. Every method is synchronous, and every change of state is one atomic rename:
 * processes that share the folder take a file once, and what a dying one has claimed comes free when its lease
 * ends. Who is alive is never judged by process id: in a container it is always 1.
 *
 * @throws (every method) SpoolError, or the system's error
 */
export class Spool {
  /** That of this process. */
  readonly record: SpoolRecord;
  readonly #settings: SpoolSettings;
  readonly #instance: string;
  readonly #wallNow: () => number;

  constructor(settings: SpoolSettings, wallNow: () => number = Date.now) {
    this.#settings = settings;
    this.#instance = namePart(settings.instance);
    this.#wallNow = wallNow;
    this.record = new SpoolRecord({
      instance: this.#instance,
      wallNow,
      folder: () => this.#folder(),
      makeRoom: (folder, bytes) => this.#makeRoom(folder, bytes),
      newName: () => this.#newName(),
    });
  }

  /** Stores a parcel; the oldest make room where the folder is full. */
  put(gzip: Buffer, as: PutState): PutResult {
    const folder = this.#folder();
    const { maxBytes } = this.#settings;
    if (gzip.length > maxBytes) {
      throw new SpoolError(
        'spool-failed',
        `a dump of ${gzip.length} bytes is larger than the spool may be (${maxBytes})`,
      );
    }
    const evicted = this.#makeRoom(folder, gzip.length);
    const name = this.#newName();
    const file = formatSpoolName({ ...name, state: as === 'claimed' ? this.#claim() : { kind: as } });
    writeWhole(join(folder, formatSpoolName(name)), join(folder, file), gzip);
    return { file, evicted };
  }

  /**
   * Takes the oldest dump that nobody else is posting: our own, and what other instances have left.
   *
   * @param abandoned records that were stale ten seconds ago, as they were: the wall clock alone proves nothing, since all processes of a
   * machine stand still while it sleeps, and clocks are set
   */
  claim(abandoned: readonly StaleRecord[] = []): ClaimResult {
    const folder = this.#folder();
    const entries = listSpool(folder).filter(({ name }) => name.destination === this.#settings.destination);
    const stale = this.#staleRecords(folder, entries);
    const before = new Map(abandoned.map(({ file, writtenMs: atMs }) => [file, atMs]));
    const dead = new Set(stale.filter((now) => before.get(now.file) === now.writtenMs).map(({ file }) => file));
    const isOurs = (entry: SpoolEntry) =>
      entry.name.state.kind === 'live' ? dead.has(entry.file) : this.#isFree(folder, entry);
    let bad = this.#setAsideUnfinished(folder, entries);
    for (const { file, name } of entries.filter(isOurs).sort(byTurn)) {
      const claimed = formatSpoolName({ ...name, state: this.#claim() });
      if (!renameIfThere(join(folder, file), join(folder, claimed))) continue;
      const gzip = this.#read(folder, claimed);
      if (gzip === 'gone') continue;
      if (gzip) {
        const told = name.state.kind === 'live' ? this.#presume(folder, claimed, gzip) : gzip;
        return { claimed: { file: claimed, gzip: told }, retryInMs: undefined, bad, stale };
      }
      this.setAside(claimed, 'bad');
      bad += 1;
    }
    return { claimed: undefined, retryInMs: this.#nextLeaseEndMs(entries, stale.length > 0), bad, stale };
  }

  /** The post failed: anybody may try again. */
  release(file: string): void {
    this.#change(file, (name) => ({ ...name, tries: name.tries + 1, state: { kind: 'ready' } }));
  }

  /** The dump has arrived. */
  discard(file: string): void {
    checkedSpoolName(file);
    removeIfThere(join(this.#folder(), file));
  }

  /** Nobody shall try again, but a person may want to look. */
  setAside(file: string, as: 'rejected' | 'bad'): void {
    this.#change(file, (name) => ({ ...name, state: { kind: as } }));
  }

  /** On disk as well: the post may fail, and be for others. */
  #presume(folder: string, claimed: string, gzip: Buffer): Buffer {
    const told = presumedEnd(gzip);
    const temporary = formatSpoolName(this.#newName());
    if (told !== gzip) writeWhole(join(folder, temporary), join(folder, claimed), told);
    return told;
  }

  #newName(): SpoolName {
    return newSpoolName(this.#wallNow(), this.#settings.destination, this.#instance);
  }

  #staleRecords(folder: string, entries: readonly SpoolEntry[]): StaleRecord[] {
    return entries.flatMap(({ file, name }) => {
      const atMs = name.state.kind === 'live' && name.instance !== this.#instance ? writtenMs(folder, file) : undefined;
      return atMs !== undefined && this.#wallNow() - atMs > RECORD_LEASE_MS ? [{ file, writtenMs: atMs }] : [];
    });
  }

  /** The claimed file's bytes; undefined if it is broken or can't be read. */
  #read(folder: string, claimed: string): Buffer | 'gone' | undefined {
    try {
      return readChecked(join(folder, claimed), this.#settings.maxBytes);
    } catch (error) {
      const { code = '' } = error as NodeJS.ErrnoException;
      if (code === 'ENOENT') return 'gone';
      if (!NOT_THE_FILE.has(code)) return undefined;
      this.#change(claimed, (name) => ({ ...name, state: { kind: 'ready' } }));
      throw error;
    }
  }

  #folder(): string {
    // Looked at every time: temporary folders get cleaned, and swapped.
    return prepareSpoolFolder(this.#settings.spoolDir);
  }

  #claim(): SpoolState {
    return { kind: 'claimed', claimedAt: this.#wallNow(), claimer: this.#instance };
  }

  /** Gone is no error: the lease had run out, and whoever took the file over answers for it. */
  #change(file: string, to: (name: SpoolName) => SpoolName): void {
    const folder = this.#folder();
    const name = checkedSpoolName(file);
    renameIfThere(join(folder, file), join(folder, formatSpoolName(to(name))));
  }

  #isFree(folder: string, { file, name }: SpoolEntry): boolean {
    if (name.state.kind === 'ready') return true;
    if (name.state.kind === 'live') return this.#staleRecords(folder, [{ file, name }]).length > 0;
    return name.state.kind === 'claimed' && this.#leaseLeftMs(name.state.claimedAt) === 0;
  }

  /** A claim from the future, further than a lease, is from before the clock was set: as good as abandoned. */
  #leaseLeftMs(sinceMs: number): number {
    const leftMs = sinceMs + this.#settings.leaseMs - this.#wallNow();
    return leftMs > 2 * this.#settings.leaseMs ? 0 : Math.max(0, leftMs);
  }

  #nextLeaseEndMs(entries: readonly SpoolEntry[], anyStale: boolean): number | undefined {
    const left = entries.flatMap(({ name }) => {
      if (name.state.kind === 'claimed') return [this.#leaseLeftMs(name.state.claimedAt)];
      return name.state.kind === 'live' && name.instance !== this.#instance
        ? [anyStale ? STALE_LOOK_MS : RECORD_LOOK_MS]
        : [];
    });
    return left.length > 0 ? Math.max(1, Math.min(...left)) : undefined;
  }

  /** A file whose writer died in the middle of it. */
  #setAsideUnfinished(folder: string, entries: readonly SpoolEntry[]): number {
    let bad = 0;
    for (const { file, name } of entries) {
      if (name.state.kind !== 'unfinished' || this.#leaseLeftMs(name.writtenAt) > 0) continue;
      if (renameIfThere(join(folder, file), join(folder, formatSpoolName({ ...name, state: { kind: 'bad' } }))))
        bad += 1;
    }
    return bad;
  }

  /** Removes what is of least use first: broken, rejected, then the oldest. What somebody is posting stays. */
  #makeRoom(folder: string, bytes: number): number {
    const files = listSpool(folder).flatMap((entry) => {
      const size = lstatSync(join(folder, entry.file), { throwIfNoEntry: false })?.size;
      return size === undefined ? [] : [{ ...entry, size }];
    });
    let count = files.length + 1;
    let total = files.reduce((sum, { size }) => sum + size, bytes);
    let evicted = 0;
    const removable = files.filter((entry) => isSetAside(entry) || this.#isFree(folder, entry)).sort(byWorth);
    for (const entry of removable) {
      if (count <= this.#settings.maxFiles && total <= this.#settings.maxBytes) return evicted;
      // Broken and rejected ones have been counted when that was found.
      if (removeIfThere(join(folder, entry.file)) && !isSetAside(entry)) evicted += 1;
      count -= 1;
      total -= entry.size;
    }
    if (count > this.#settings.maxFiles || total > this.#settings.maxBytes) {
      throw new SpoolError('spool-failed', `spool folder ${folder} is full of dumps that are being posted`);
    }
    return evicted;
  }
}

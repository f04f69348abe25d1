import { lstatSync, opendirSync, utimesSync } from 'node:fs';
import { join } from 'node:path';
import { presumedEnd } from './presumed-end.ts';
import { SpoolError } from './spool-error.ts';
import { readChecked, removeIfThere, renameIfThere, writeWhole } from './spool-file.ts';
import { prepareSpoolFolder } from './spool-folder.ts';
import {
  formatSpoolName,
  namePart,
  newSpoolName,
  parseSpoolName,
  type SpoolName,
  type SpoolState,
} from './spool-names.ts';

// A folder larger than this is not ours alone; the rest is seen when these are gone.
const MAX_ENTRIES = 20_000;
// A dump that has failed this often lets the others go first: it may be what fails, not the collector.
const PATIENT_TRIES = 5;

// A record that nobody has kept fresh for so long is taken for that of a process that is gone. Its keeper does so every few seconds; where
// the disk hangs, it is killed after 5 s, and the next one is started a minute later: time enough for that to happen twice.
const RECORD_LEASE_MS = 180_000;
// How soon records of others are looked at again.
const RECORD_LOOK_MS = 60_000;

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

/** A parcel to post, or none now; then `retryInMs` says when an abandoned claim can be taken over. `bad` files were set aside. */
export interface ClaimResult {
  readonly claimed: { readonly file: string; readonly gzip: Buffer } | undefined;
  readonly retryInMs: number | undefined;
  readonly bad: number;
}

interface Entry {
  readonly file: string;
  readonly name: SpoolName;
}

/**
 * Dumps on disk, for when no collector answers. Every method is synchronous, and every change of state is one atomic rename:
 * processes that share the folder take a file once, and what a dying one has claimed comes free when its lease
 * ends. Who is alive is never judged by process id: in a container it is always 1.
 *
 * @throws (every method) SpoolError, or the system's error
 */
export class Spool {
  readonly #settings: SpoolSettings;
  readonly #instance: string;
  readonly #wallNow: () => number;
  /** Name of this process's record, while there is one. */
  #record: SpoolName | undefined;

  constructor(settings: SpoolSettings, wallNow: () => number = Date.now) {
    this.#settings = settings;
    this.#instance = namePart(settings.instance);
    this.#wallNow = wallNow;
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
    const name = newSpoolName(this.#wallNow(), this.#settings.destination, this.#instance);
    const file = formatSpoolName({ ...name, state: as === 'claimed' ? this.#claim() : { kind: as } });
    writeWhole(join(folder, formatSpoolName(name)), join(folder, file), gzip);
    return { file, evicted };
  }

  /** Takes the oldest dump that nobody else is posting: our own, and what other instances have left. */
  claim(): ClaimResult {
    const folder = this.#folder();
    const entries = list(folder).filter(({ name }) => name.destination === this.#settings.destination);
    let bad = this.#setAsideUnfinished(folder, entries);
    for (const { file, name } of entries.filter((entry) => this.#isFree(folder, entry)).sort(byTurn)) {
      const claimed = formatSpoolName({ ...name, state: this.#claim() });
      if (!renameIfThere(join(folder, file), join(folder, claimed))) continue;
      const gzip = this.#read(folder, claimed);
      if (gzip === 'gone') continue;
      if (gzip) {
        const told = name.state.kind === 'live' ? this.#presume(folder, claimed, gzip) : gzip;
        return { claimed: { file: claimed, gzip: told }, retryInMs: undefined, bad };
      }
      this.setAside(claimed, 'bad');
      bad += 1;
    }
    return { claimed: undefined, retryInMs: this.#nextLeaseEndMs(entries), bad };
  }

  /** The post failed: anybody may try again. */
  release(file: string): void {
    this.#change(file, (name) => ({ ...name, tries: name.tries + 1, state: { kind: 'ready' } }));
  }

  /** The dump has arrived. */
  discard(file: string): void {
    removeIfThere(join(this.#folder(), checked(file)));
  }

  /** Nobody shall try again, but a person may want to look. */
  setAside(file: string, as: 'rejected' | 'bad'): void {
    this.#change(file, (name) => ({ ...name, state: { kind: as } }));
  }

  /** Whether there is a record of this process, as far as this object has kept it. */
  get keepsRecord(): boolean {
    return this.#record !== undefined;
  }

  /** Keeps the record of this process: what is to be posted if it dies without a word. It takes the place of the one before. */
  keepRecord(gzip: Buffer): void {
    const folder = this.#folder();
    if (this.#record === undefined) {
      this.#forgetEarlier(folder);
      this.#makeRoom(folder, gzip.length);
      this.#record = newSpoolName(this.#wallNow(), this.#settings.destination, this.#instance);
    }
    const temporary = join(folder, formatSpoolName(this.#record));
    writeWhole(temporary, this.#recordPath(folder, this.#record), gzip);
    this.freshenRecord();
  }

  /** The process lives: nobody may take its record for that of a dead one. */
  freshenRecord(): void {
    if (this.#record === undefined) return;
    const now = this.#wallNow() / 1_000;
    utimesSync(this.#recordPath(this.#folder(), this.#record), now, now);
  }

  /** The process has ended as it should, or is in no danger any more. */
  forgetRecord(): void {
    if (this.#record === undefined) {
      this.#forgetEarlier(this.#folder());
      return;
    }
    const path = this.#recordPath(this.#folder(), this.#record);
    this.#record = undefined;
    removeIfThere(path);
  }

  /** The process is gone: its record is a dump like any other. */
  bequeathRecord(): void {
    if (this.#record === undefined) return;
    const folder = this.#folder();
    const path = this.#recordPath(folder, this.#record);
    renameIfThere(path, join(folder, formatSpoolName({ ...this.#record, state: { kind: 'ready' } })));
    this.#record = undefined;
  }

  #recordPath(folder: string, name: SpoolName): string {
    return join(folder, formatSpoolName({ ...name, state: { kind: 'live' } }));
  }

  /** What an earlier keeper of the same process has left: that one was killed. */
  #forgetEarlier(folder: string): void {
    for (const { file, name } of list(folder)) {
      if (name.state.kind === 'live' && name.instance === this.#instance) removeIfThere(join(folder, file));
    }
  }

  /** On disk as well: the post may fail, and be for others. */
  #presume(folder: string, claimed: string, gzip: Buffer): Buffer {
    const told = presumedEnd(gzip);
    const temporary = formatSpoolName(newSpoolName(this.#wallNow(), this.#settings.destination, this.#instance));
    if (told !== gzip) writeWhole(join(folder, temporary), join(folder, claimed), told);
    return told;
  }

  #isStale(path: string): boolean {
    const stats = lstatSync(path, { throwIfNoEntry: false });
    return stats !== undefined && this.#wallNow() - stats.mtimeMs > RECORD_LEASE_MS;
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
    const name = parseSpoolName(checked(file));
    if (name) renameIfThere(join(folder, file), join(folder, formatSpoolName(to(name))));
  }

  #isFree(folder: string, { file, name }: Entry): boolean {
    if (name.state.kind === 'ready') return true;
    if (name.state.kind === 'live') return name.instance !== this.#instance && this.#isStale(join(folder, file));
    return name.state.kind === 'claimed' && this.#leaseLeftMs(name.state.claimedAt) === 0;
  }

  /** A claim from the future, further than a lease, is from before the clock was set: as good as abandoned. */
  #leaseLeftMs(sinceMs: number): number {
    const leftMs = sinceMs + this.#settings.leaseMs - this.#wallNow();
    return leftMs > 2 * this.#settings.leaseMs ? 0 : Math.max(0, leftMs);
  }

  #nextLeaseEndMs(entries: readonly Entry[]): number | undefined {
    const left = entries.flatMap(({ name }) => {
      if (name.state.kind === 'claimed') return [this.#leaseLeftMs(name.state.claimedAt)];
      return name.state.kind === 'live' && name.instance !== this.#instance ? [RECORD_LOOK_MS] : [];
    });
    return left.length > 0 ? Math.max(1, Math.min(...left)) : undefined;
  }

  /** A file whose writer died in the middle of it. */
  #setAsideUnfinished(folder: string, entries: readonly Entry[]): number {
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
    const files = list(folder).flatMap((entry) => {
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

function list(folder: string): Entry[] {
  const entries: Entry[] = [];
  const directory = opendirSync(folder);
  try {
    for (let entry = directory.readSync(); entry && entries.length < MAX_ENTRIES; entry = directory.readSync()) {
      const name = parseSpoolName(entry.name);
      if (name) entries.push({ file: entry.name, name });
    }
  } finally {
    directory.closeSync();
  }
  return entries;
}

function isSetAside({ name }: Entry): boolean {
  return name.state.kind === 'bad' || name.state.kind === 'rejected';
}

function byTurn(a: Entry, b: Entry): number {
  const delay = ({ name }: Entry) => (name.tries < PATIENT_TRIES ? 0 : name.tries);
  return delay(a) - delay(b) || byAge(a, b);
}

function byWorth(a: Entry, b: Entry): number {
  const worth = ({ name }: Entry) =>
    ({ bad: 0, rejected: 1, ready: 2, live: 2, claimed: 2, unfinished: 2 })[name.state.kind];
  return worth(a) - worth(b) || byAge(a, b);
}

function byAge(a: Entry, b: Entry): number {
  return a.name.writtenAt - b.name.writtenAt || (a.file < b.file ? -1 : 1);
}

/** Only names of our own grammar, which has no path separator, ever reach the disk. */
function checked(file: string): string {
  if (!parseSpoolName(file)) throw new SpoolError('spool-failed', `${JSON.stringify(file)} is no spool file`);
  return file;
}

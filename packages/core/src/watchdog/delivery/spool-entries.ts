import { lstatSync, opendirSync } from 'node:fs';
import { join } from 'node:path';
import { SpoolError } from './spool-error.ts';
import { parseSpoolName, type SpoolName } from './spool-names.ts';

// A folder larger than this is not ours alone; the rest is seen when these are gone.
const MAX_ENTRIES = 20_000;
// A dump that has failed this often lets the others go first: it may be what fails, not the collector.
const PATIENT_TRIES = 5;

/** A file of the spool. */
export interface SpoolEntry {
  readonly file: string;
  readonly name: SpoolName;
}

/** A record of another process that nobody has kept fresh for long, as it was found. */
export interface StaleRecord {
  readonly file: string;
  readonly writtenMs: number;
}

/** The files of ours in a folder. @throws the system's error */
export function listSpool(folder: string): SpoolEntry[] {
  const entries: SpoolEntry[] = [];
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

/** Nobody posts it any more. */
export function isSetAside({ name }: SpoolEntry): boolean {
  return name.state.kind === 'bad' || name.state.kind === 'rejected';
}

/** When it was last written; `undefined` if it is gone. @throws the system's error */
export function writtenMs(folder: string, file: string): number | undefined {
  return lstatSync(join(folder, file), { throwIfNoEntry: false })?.mtimeMs;
}

/** The order of posting. */
export function byTurn(a: SpoolEntry, b: SpoolEntry): number {
  const delay = ({ name }: SpoolEntry) => (name.tries < PATIENT_TRIES ? 0 : name.tries);
  return delay(a) - delay(b) || byAge(a, b);
}

/** What is of least use comes first: broken, rejected, then the oldest. */
export function byWorth(a: SpoolEntry, b: SpoolEntry): number {
  const worth = ({ name }: SpoolEntry) =>
    ({ bad: 0, rejected: 1, ready: 2, live: 2, claimed: 2, unfinished: 2 })[name.state.kind];
  return worth(a) - worth(b) || byAge(a, b);
}

function byAge(a: SpoolEntry, b: SpoolEntry): number {
  return a.name.writtenAt - b.name.writtenAt || (a.file < b.file ? -1 : 1);
}

/** Only names of our own grammar, which has no path separator, ever reach the disk. @throws SpoolError */
export function checkedSpoolName(file: string): SpoolName {
  const name = parseSpoolName(file);
  if (!name) throw new SpoolError('spool-failed', `${JSON.stringify(file)} is no spool file`);
  return name;
}

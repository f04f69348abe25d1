import { utimesSync } from 'node:fs';
import { join } from 'node:path';
import { listSpool } from './spool-entries.ts';
import { removeIfThere, renameIfThere, writeWhole } from './spool-file.ts';
import { formatSpoolName, type SpoolName } from './spool-names.ts';

/** What a {@link SpoolRecord} needs of the spool that it lies in. */
export interface SpoolRecordParts {
  /** As it stands in the names of files. */
  readonly instance: string;
  readonly wallNow: () => number;
  /** Looked at every time. */
  readonly folder: () => string;
  readonly makeRoom: (folder: string, bytes: number) => void;
  readonly newName: () => SpoolName;
}

/**
 * The record of this process: what is to be posted if it dies without a word. Others take it for that of a dead process, and post it, once
 * nobody has kept it fresh for long.
 *
 * @throws (every method) SpoolError, or the system's error
 */
export class SpoolRecord {
  readonly #parts: SpoolRecordParts;
  /** Its name, while there is one. */
  #name: SpoolName | undefined;

  constructor(parts: SpoolRecordParts) {
    this.#parts = parts;
  }

  /** Whether there is one, as far as this object has kept it. */
  get exists(): boolean {
    return this.#name !== undefined;
  }

  /** Keeps it, in the place of the one before. */
  keep(gzip: Buffer): void {
    const folder = this.#parts.folder();
    if (this.#name === undefined) {
      this.#forgetEarlier(folder);
      this.#parts.makeRoom(folder, gzip.length);
      this.#name = this.#parts.newName();
    }
    writeWhole(join(folder, formatSpoolName(this.#name)), livePath(folder, this.#name), gzip);
    this.freshen();
  }

  /** The process lives: nobody may take its record for that of a dead one. */
  freshen(): void {
    if (this.#name === undefined) return;
    const now = this.#parts.wallNow() / 1_000;
    utimesSync(livePath(this.#parts.folder(), this.#name), now, now);
  }

  /** The process has ended as it should, or is in no danger any more. */
  forget(): void {
    const folder = this.#parts.folder();
    const name = this.#name;
    this.#name = undefined;
    if (name === undefined) this.#forgetEarlier(folder);
    else removeIfThere(livePath(folder, name));
  }

  /** The process is gone: its record is a dump like any other. */
  bequeath(): void {
    if (this.#name === undefined) return;
    const folder = this.#parts.folder();
    renameIfThere(
      livePath(folder, this.#name),
      join(folder, formatSpoolName({ ...this.#name, state: { kind: 'ready' } })),
    );
    this.#name = undefined;
  }

  /** What an earlier keeper of the same process has left: that one was killed. */
  #forgetEarlier(folder: string): void {
    for (const { file, name } of listSpool(folder)) {
      if (name.state.kind === 'live' && name.instance === this.#parts.instance) removeIfThere(join(folder, file));
    }
  }
}

function livePath(folder: string, name: SpoolName): string {
  return join(folder, formatSpoolName({ ...name, state: { kind: 'live' } }));
}

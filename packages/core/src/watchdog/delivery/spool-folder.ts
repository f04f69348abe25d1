import { existsSync, lstatSync, mkdirSync, type Stats } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join, resolve } from 'node:path';
import { SpoolError } from './spool-error.ts';

const WRITABLE_BY_OTHERS = 0o022;

/**
 * Makes sure of the folder that dumps are spooled in, and returns its path.
 *
 * The folder is ours alone: created with mode 0700 where it is missing; a symbolic link, or a folder that belongs to
 * another user, is refused. A folder that others can write to (the temporary folder itself, a Kubernetes emptyDir, which belongs to
 * root) is not used directly: a folder `hangwatch-spool-<uid>` of our own is made inside. Its mode is left alone: it may be `/tmp`.
 *
 * @param spoolDir @default `hangwatch-spool-<uid>` in the system's temporary folder
 * @throws SpoolError
 */
export function prepareSpoolFolder(spoolDir: string | undefined): string {
  if (spoolDir === undefined) return ownFolder(join(tmpdir(), ownName()));
  const folder = resolve(spoolDir);
  const stats = existing(folder);
  if (stats && isShared(stats)) return ownFolder(join(folder, ownName()));
  return ownFolder(folder);
}

function ownName(): string {
  return `hangwatch-spool-${process.geteuid?.() ?? 'user'}`;
}

function ownFolder(folder: string): string {
  let stats = existing(folder);
  if (!stats) {
    makeFolder(folder);
    // Looked at again: between the two, somebody else may have put something in its place.
    stats = lstatSync(folder);
  }
  if (stats.isSymbolicLink()) throw refused(folder, 'it is a symbolic link');
  if (!stats.isDirectory()) throw refused(folder, 'it is not a folder');
  const uid = process.geteuid?.();
  if (uid !== undefined && stats.uid !== uid) {
    throw refused(folder, `it belongs to user ${stats.uid}, and this process runs as user ${uid}`);
  }
  if (uid !== undefined && (stats.mode & WRITABLE_BY_OTHERS) !== 0) {
    throw refused(folder, 'other users can write to it (chmod 700 would do)');
  }
  return folder;
}

/** With its parents. Not `recursive: true`: below a folder that takes no entries, such as /proc, Node's own never returns. */
function makeFolder(folder: string): void {
  const parent = dirname(folder);
  if (parent !== folder && !existsSync(parent)) makeFolder(parent);
  try {
    mkdirSync(folder, { mode: 0o700 });
  } catch (error) {
    // Another process may have been faster; what it has made is looked at like any other.
    if ((error as NodeJS.ErrnoException).code !== 'EEXIST') throw error;
  }
}

/** Ours or root's, and writable by others: trusted as a parent, not as the spool. */
function isShared(stats: Stats): boolean {
  const uid = process.geteuid?.();
  if (uid === undefined || !stats.isDirectory() || (stats.mode & WRITABLE_BY_OTHERS) === 0) return false;
  return stats.uid === uid || stats.uid === 0;
}

function existing(path: string): Stats | undefined {
  return lstatSync(path, { throwIfNoEntry: false });
}

function refused(folder: string, why: string): SpoolError {
  return new SpoolError(
    'spool-refused',
    `spool folder ${folder} is refused: ${why}; give options.spoolDir a folder of its own`,
  );
}

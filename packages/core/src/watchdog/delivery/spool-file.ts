import { closeSync, constants, fstatSync, openSync, readSync, renameSync, unlinkSync, writeSync } from 'node:fs';
import { gunzipSync } from 'node:zlib';
import { MAX_JSON_BYTES } from './parcel.ts';

// Absent on Windows, where both are meaningless.
const { O_RDONLY, O_WRONLY, O_CREAT, O_EXCL, O_NOFOLLOW = 0, O_NONBLOCK = 0 } = constants;

/**
 * Writes a file that appears whole or not at all: under a name of its own that must not exist, 0600, then renamed. No fsync:
 * it outlives the process, which is what it is for, not the machine; and fsync can take seconds on a busy disk.
 *
 * @throws the system's error; nothing is left behind then
 */
export function writeWhole(temporary: string, final: string, bytes: Buffer): void {
  const fd = openSync(temporary, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW, 0o600);
  try {
    try {
      for (let offset = 0; offset < bytes.length; ) offset += writeSync(fd, bytes, offset);
    } finally {
      closeSync(fd);
    }
    renameSync(temporary, final);
  } catch (error) {
    removeIfThere(temporary);
    throw error;
  }
}

/**
 * Reads a file of at most `maxBytes`, and checks that it unpacks.
 *
 * @returns undefined if it is broken: too large, torn, no regular file, another user's
 * @throws the system's error if it cannot be opened or read
 */
export function readChecked(path: string, maxBytes: number): Buffer | undefined {
  // O_NONBLOCK: opening a named pipe that somebody has put there would wait for a writer for ever.
  const fd = openSync(path, O_RDONLY | O_NOFOLLOW | O_NONBLOCK);
  try {
    const stats = fstatSync(fd);
    const uid = process.geteuid?.();
    if (!stats.isFile() || stats.size > maxBytes || (uid !== undefined && stats.uid !== uid)) return undefined;
    const bytes = Buffer.allocUnsafe(stats.size);
    let length = 0;
    while (length < bytes.length) {
      const read = readSync(fd, bytes, length, bytes.length - length, length);
      if (read === 0) return undefined;
      length += read;
    }
    return unpacks(bytes) ? bytes : undefined;
  } finally {
    closeSync(fd);
  }
}

/** Removes a file; false if it was not there. @throws any other error of the system */
export function removeIfThere(path: string): boolean {
  return ifThere(() => unlinkSync(path));
}

/** Renames a file; false if it was not there, because somebody else was faster. @throws any other error of the system */
export function renameIfThere(from: string, to: string): boolean {
  return ifThere(() => renameSync(from, to));
}

function ifThere(change: () => void): boolean {
  try {
    change();
    return true;
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return false;
    throw error;
  }
}

function unpacks(gzip: Buffer): boolean {
  try {
    // The checksum inside covers all of it: torn and rotten files fail here.
    return gunzipSync(gzip, { maxOutputLength: MAX_JSON_BYTES })[0] === 0x7b; // '{'
  } catch {
    return false; // Broken is an answer, not an error: the caller sets the file aside.
  }
}

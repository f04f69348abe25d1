import { closeSync, constants, fstatSync, openSync, readFileSync } from 'node:fs';

/** Longest script or map that is read. Whatever is longer was not written by a compiler for one program. */
export const MAX_FILE_BYTES = 64 * 1024 * 1024;

/** A file's text, and when it was last written. */
export interface ReadFile {
  readonly text: string;
  readonly writtenAtMs: number;
}

/** Reads a file, unless it is too large or no regular file: a map may be named that never ends, or never begins. */
export function readBounded(
  path: string,
  maxBytes = MAX_FILE_BYTES,
): ReadFile | 'missing' | 'unreadable' | 'too large' {
  let fd: number;
  try {
    // O_NONBLOCK: opening a pipe that nobody writes to would wait for ever.
    fd = openSync(path, constants.O_RDONLY | (constants.O_NONBLOCK ?? 0));
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === 'ENOENT' ? 'missing' : 'unreadable';
  }
  try {
    const stats = fstatSync(fd);
    if (!stats.isFile()) return 'unreadable';
    if (stats.size > maxBytes) return 'too large';
    return { text: readFileSync(fd, 'utf8'), writtenAtMs: stats.mtimeMs };
  } catch {
    // The disk, or the file's encoding into a string, failed: the map cannot be had, and that is all there is to say.
    return 'unreadable';
  } finally {
    closeSync(fd);
  }
}

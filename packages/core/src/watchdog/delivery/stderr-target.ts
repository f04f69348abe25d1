import { closeSync, constants, fstatSync, openSync, readFileSync, writeSync } from 'node:fs';

/** Writes some of the bytes at once and returns how many; throws EAGAIN where none fit now. Must not wait. */
export type WriteSome = (bytes: Buffer) => number;

/**
 * The process's stderr, such that no write waits for its reader. A worker's own `process.stderr` travels
 * through the main thread, which may be what is stuck: file descriptor 2 is written to directly.
 *
 * Whether that waits is up to the flag O_NONBLOCK, which Node sets on pipes and sockets the first time that `process.stderr` is
 * touched, and not before. So on Linux a pipe or terminal is opened anew, for us alone, with the flag; a socket, which
 * can't be, is only used if it has it. Regular files never wait for a reader.
 *
 * @returns undefined where a write could wait for ever
 */
export function openStderr(): WriteSome | undefined {
  if (process.platform !== 'linux') return writeTo(2);
  try {
    const stats = fstatSync(2);
    if (stats.isFIFO() || stats.isCharacterDevice()) {
      const own = reopened();
      if (own !== undefined) return writeTo(own);
    }
    return stats.isFile() || isNonBlocking() ? writeTo(2) : undefined;
  } catch {
    return undefined; // Closed, or no /proc: nothing to be had.
  }
}

function writeTo(fd: number): WriteSome {
  return (bytes) => writeSync(fd, bytes);
}

/** The same pipe or terminal under a descriptor of our own; undefined if another user opened it, or descriptors have run out. */
function reopened(): number | undefined {
  let fd: number | undefined;
  try {
    fd = openSync('/proc/self/fd/2', constants.O_WRONLY | constants.O_NONBLOCK | constants.O_NOCTTY);
    const [theirs, ours] = [fstatSync(2), fstatSync(fd)];
    if (theirs.ino === ours.ino && theirs.dev === ours.dev) return fd;
    closeSync(fd);
    return undefined;
  } catch {
    if (fd !== undefined) closeSync(fd);
    return undefined;
  }
}

function isNonBlocking(): boolean {
  const flags = /^flags:\s*([0-7]+)/m.exec(readFileSync('/proc/self/fdinfo/2', 'latin1'))?.[1];
  return flags !== undefined && (Number.parseInt(flags, 8) & constants.O_NONBLOCK) !== 0;
}

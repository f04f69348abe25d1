import { readdirSync, readFileSync, readlinkSync } from 'node:fs';

/** Linux's `/proc`, as far as it lets us look. Every answer may be missing: containers, `hidepid` and other systems show less. */
export interface ProcFiles {
  /** A file below `/proc`. */
  text(path: string): string | undefined;
  /** Where a link below `/proc` points. */
  link(path: string): string | undefined;
  /** Names in a folder below `/proc`. */
  list(path: string): string[];
}

/** The real one. Its reads are synchronous and answered from the kernel's memory: no disk and no thread pool is involved. */
export const procFiles: ProcFiles = {
  text: (path) => orUndefined(() => readFileSync(`/proc/${path}`, 'utf8').trim()),
  link: (path) => orUndefined(() => readlinkSync(`/proc/${path}`)),
  list: (path) => orUndefined(() => readdirSync(`/proc/${path}`)) ?? [],
};

function orUndefined<T>(read: () => T): T | undefined {
  try {
    return read();
  } catch {
    // Not Linux, not allowed, or gone in the meantime: all mean that nothing is known.
    return undefined;
  }
}

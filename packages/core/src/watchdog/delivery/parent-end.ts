import { setTimeout as sleep } from 'node:timers/promises';

/** From the end of a dying process's pipes until its children have another parent: a few milliseconds, more on a busy machine. */
const PATIENCE_MS = 1_000;
const LOOK_MS = 20;

/**
 * Whether the process that started this one has ended, given the time to do so. Its threads do not matter, nor does whoever gets its
 * process id next: a child whose parent has ended has another parent at once. Windows gives it none; there the id is looked up.
 */
export async function hasParentEnded(parentPid: number): Promise<boolean> {
  for (let waitedMs = 0; ; waitedMs += LOOK_MS) {
    if (isGone(parentPid)) return true;
    if (waitedMs >= PATIENCE_MS) return false;
    await sleep(LOOK_MS);
  }
}

function isGone(parentPid: number): boolean {
  if (process.platform !== 'win32') return process.ppid !== parentPid;
  try {
    return !process.kill(parentPid, 0);
  } catch {
    return true;
  }
}

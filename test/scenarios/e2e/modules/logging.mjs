// Locks under which modules log while they are being evaluated.
import { instrument } from '@hangwatch/locks';
import { Mutex } from 'async-mutex';

const logs = new Map();

/** The lock of this name, and a promise that somebody wants to log under it. */
export function logOf(name) {
  let log = logs.get(name);
  if (log === undefined) {
    log = { lock: instrument(new Mutex(), { name }) };
    log.wanted = new Promise((resolve) => {
      log.want = resolve;
    });
    logs.set(name, log);
  }
  return log;
}

export async function log(name) {
  const { lock, want } = logOf(name);
  want();
  const release = await lock.acquire();
  release();
}

/** `logging` of `file:///feature.mjs?logging`. */
export const nameIn = (url) => new URL(url).search.slice(1);

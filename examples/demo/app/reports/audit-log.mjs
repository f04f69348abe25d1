import { appendFile, rename } from 'node:fs/promises';
import path from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { instrument } from '@hangwatch/locks';
import { Mutex } from 'async-mutex';

const logFile = path.join(process.env.DATA_DIR ?? '.', 'audit.log');
const writing = instrument(new Mutex(), { name: 'audit log' });

/** How long writers that still hold the old file may take to let go of it. */
const SETTLE_MS = 800;

/** Appends a line. One writer at a time, so that lines never mix. */
export async function audit(line) {
  const release = await writing.acquire(); // mark: audit-waits-for-lock
  try {
    await appendFile(logFile, `${new Date().toISOString()} ${line}\n`);
  } finally {
    release();
  }
}

/** Closes the current log and makes a copy of it that can be printed. Nobody writes in the meantime. */
export async function rotateAuditLog() {
  const release = await writing.acquire();
  try {
    const archived = `${logFile}.${Date.now()}`;
    await rename(logFile, archived);
    await delay(SETTLE_MS);
    const { printFile } = await import('./features/printable.mjs'); // mark: rotation-waits-for-import
    return await printFile(archived);
  } finally {
    release();
  }
}

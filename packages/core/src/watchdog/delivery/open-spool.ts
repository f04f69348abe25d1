import type { Clock } from './clock.ts';
import { canStartNode } from './helper-process.ts';
import { Spool, type SpoolSettings } from './spool.ts';
import { spoolInProcess } from './spool-in-process.ts';
import { type SpoolPort, spoolInThread } from './spool-port.ts';

/** The spool, its disk work in a process of its own where a file for that is given and Node can be started. */
export function openSpool(settings: SpoolSettings, processFile: string | undefined, clock: Clock): SpoolPort {
  const inThread: SpoolPort = {
    ...spoolInThread(new Spool(settings, () => clock.wallNow())),
    // A file a second is no work for this thread, and nobody would keep the record fresh while this process is stopped.
    keepRecord: async () => undefined,
    forgetRecord: async () => undefined,
  };
  if (processFile === undefined || !canStartNode()) return inThread;
  return spoolInProcess({ file: processFile, settings, clock, fallback: inThread });
}

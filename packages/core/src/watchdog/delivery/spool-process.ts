// Entry of the spool process: does the spool's disk work for a watchdog that must not wait for a disk. Started with the
// settings as its only argument; asked on stdin, answers on stdout; ends soon after stdin does, and everything asked is done.
// Pipes, not an IPC channel: what the parent asked just before it died waits in the pipe, and would be lost in the channel.
import { readJsonLines, writeJsonLine } from './json-lines.ts';
import { hasParentEnded } from './parent-end.ts';
import { serveSpool } from './serve-spool.ts';
import { Spool } from './spool.ts';
import { spoolInThread } from './spool-port.ts';
import type { SpoolAnswer, SpoolProcessArguments, SpoolRequest } from './spool-protocol.ts';

/** Much more often than what makes a record stale. */
const FRESHEN_MS = 2_000;

const { parentPid, ...settings } = JSON.parse(process.argv[2] ?? '') as SpoolProcessArguments;
const disk = new Spool(settings);
const spool = spoolInThread(disk);
const answer = (message: SpoolAnswer): void => writeJsonLine(process.stdout, message);

// A parent that is gone needs no answer.
process.stdout.on('error', () => undefined);
// What stops the application must not stop the last dump on its way to the disk; the end of stdin ends this process.
for (const signal of ['SIGTERM', 'SIGINT', 'SIGHUP'] as const) process.on(signal, () => undefined);
readJsonLines<SpoolRequest>(process.stdin, (request) => void serveSpool(spool, request).then(answer));
// Kept fresh also while the application is stopped or blocked: that its record is says that it lives.
setInterval(() => quietly(() => disk.record.freshen()), FRESHEN_MS).unref();
// The other end is the watchdog's, which may die alone: then the process lives on, and a new watchdog keeps a new record.
process.stdin.on('end', () => {
  if (!disk.record.exists) return;
  void hasParentEnded(parentPid).then((ended) =>
    quietly(() => {
      if (ended) disk.record.bequeath();
      else disk.record.forget();
    }),
  );
});
answer({ type: 'ready' });

/** A record whose file is gone, or whose disk is full, is not worth the rest of this process's work. */
function quietly(work: () => void): void {
  try {
    work();
  } catch {
    return;
  }
}

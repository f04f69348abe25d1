// Entry of the spool process: does the spool's disk work for a watchdog that must not wait for a disk. Started with the
// settings as its only argument; asked on stdin, answers on stdout; ends when stdin does, and everything asked is done.
// Pipes, not an IPC channel: what the parent asked just before it died waits in the pipe, and would be lost in the channel.
import { readJsonLines, writeJsonLine } from './json-lines.ts';
import { serveSpool } from './serve-spool.ts';
import { Spool } from './spool.ts';
import { spoolInThread } from './spool-port.ts';
import type { SpoolAnswer, SpoolProcessArguments, SpoolRequest } from './spool-protocol.ts';

/** Much more often than what makes a record stale. */
const FRESHEN_MS = 2_000;

const disk = new Spool(JSON.parse(process.argv[2] ?? '') as SpoolProcessArguments);
const spool = spoolInThread(disk);
const answer = (message: SpoolAnswer): void => writeJsonLine(process.stdout, message);

// A parent that is gone needs no answer.
process.stdout.on('error', () => undefined);
// What stops the application must not stop the last dump on its way to the disk; the end of stdin ends this process.
for (const signal of ['SIGTERM', 'SIGINT', 'SIGHUP'] as const) process.on(signal, () => undefined);
readJsonLines<SpoolRequest>(process.stdin, (request) => void serveSpool(spool, request).then(answer));
// The watchdog holds the other end for as long as its process lives, also while that is stopped or blocked: that its record is kept fresh
// says so, and that it is bequeathed, that the process is gone. Nobody is judged by a process id.
setInterval(() => quietly(() => disk.freshenRecord()), FRESHEN_MS).unref();
process.stdin.on('end', () => quietly(() => disk.bequeathRecord()));
answer({ type: 'ready' });

/** A record whose file is gone, or whose disk is full, is not worth the rest of this process's work. */
function quietly(work: () => void): void {
  try {
    work();
  } catch {
    return;
  }
}

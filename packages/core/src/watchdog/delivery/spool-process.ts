// Entry of the spool process: does the spool's disk work for a watchdog that must not wait for a disk. Started with the
// settings as its only argument; asked on stdin, answers on stdout; ends when stdin does, and everything asked is done.
// Pipes, not an IPC channel: what the parent asked just before it died waits in the pipe, and would be lost in the channel.
import { readJsonLines, writeJsonLine } from './json-lines.ts';
import { serveSpool } from './serve-spool.ts';
import { Spool } from './spool.ts';
import { spoolInThread } from './spool-port.ts';
import type { SpoolAnswer, SpoolProcessArguments, SpoolRequest } from './spool-protocol.ts';

const spool = spoolInThread(new Spool(JSON.parse(process.argv[2] ?? '') as SpoolProcessArguments));
const answer = (message: SpoolAnswer): void => writeJsonLine(process.stdout, message);

// A parent that is gone needs no answer.
process.stdout.on('error', () => undefined);
// What stops the application must not stop the last dump on its way to the disk; the end of stdin ends this process.
for (const signal of ['SIGTERM', 'SIGINT', 'SIGHUP'] as const) process.on(signal, () => undefined);
readJsonLines<SpoolRequest>(process.stdin, (request) => void serveSpool(spool, request).then(answer));
answer({ type: 'ready' });

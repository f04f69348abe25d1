// Entry of the spool process: does the spool's disk work for a watchdog that must not wait for a disk.
// Started with the settings as its only argument; ends when its parent lets go of the channel, or has died.
import { serveSpool } from './serve-spool.ts';
import { Spool } from './spool.ts';
import type { SpoolAnswer, SpoolProcessArguments, SpoolRequest } from './spool-protocol.ts';

const spool = new Spool(JSON.parse(process.argv[2] ?? '') as SpoolProcessArguments);

function answer(message: SpoolAnswer): void {
  // A parent that is gone needs no answer; without a callback the failure would be thrown.
  process.send?.(message, undefined, {}, () => undefined);
}

// What stops the application must not stop the last dump on its way to the disk; the closed channel ends this process.
for (const signal of ['SIGTERM', 'SIGINT', 'SIGHUP'] as const) process.on(signal, () => undefined);
process.on('message', (request: SpoolRequest) => answer(serveSpool(spool, request)));
process.on('disconnect', () => process.exit());
answer({ type: 'ready' });

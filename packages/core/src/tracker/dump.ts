import type { Dump } from '@hangwatch/protocol';
import { existingTracker } from './process/process-tracker.ts';

/**
 * A dump of everything that is in flight, now: of kind `snapshot`, sent where reports go and returned, a very large one in part. Nothing need be stuck.
 *
 * @returns `undefined` where hangwatch is switched off, or its watchdog can't be had
 * @example
 * admin.get('/in-flight', async (_request, reply) => reply.send(await dump()));
 */
export async function dump(): Promise<Dump | undefined> {
  return existingTracker()?.snapshot();
}

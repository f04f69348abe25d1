import { toSpoolError } from './spool-error.ts';
import type { SpoolPort } from './spool-port.ts';
import type { SpoolAnswer, SpoolRequest, SpoolResult, SpoolTask } from './spool-protocol.ts';

/** Does what one request asks for. Never rejects: a failure is an answer. */
export async function serveSpool(spool: SpoolPort, request: SpoolRequest): Promise<SpoolAnswer> {
  const { id } = request;
  try {
    const result = await performTask(spool, request);
    return result === undefined ? { type: 'done', id } : { type: 'done', id, result };
  } catch (error) {
    const { code, message } = toSpoolError(error);
    return { type: 'failed', id, code, message };
  }
}

/** Does one task. @throws what the spool throws */
export async function performTask(spool: SpoolPort, task: SpoolTask): Promise<SpoolResult> {
  switch (task.type) {
    case 'put':
      return spool.put(Buffer.from(task.gzip, 'base64'), task.as);
    case 'claim': {
      const { claimed, ...rest } = await spool.claim(task.abandoned);
      return claimed ? { ...rest, claimed: { ...claimed, gzip: claimed.gzip.toString('base64') } } : rest;
    }
    case 'release':
      await spool.release(task.file);
      return undefined;
    case 'discard':
      await spool.discard(task.file);
      return undefined;
    case 'set-aside':
      await spool.setAside(task.file, task.as);
      return undefined;
    case 'keep-record':
      await spool.keepRecord(Buffer.from(task.gzip, 'base64'));
      return undefined;
    case 'forget-record':
      await spool.forgetRecord();
      return undefined;
  }
}

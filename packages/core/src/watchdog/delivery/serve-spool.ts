import type { Spool } from './spool.ts';
import { toSpoolError } from './spool-error.ts';
import type { SpoolAnswer, SpoolRequest } from './spool-protocol.ts';

/** Does what one request asks for. Never throws: a failure is an answer. */
export function serveSpool(spool: Spool, request: SpoolRequest): SpoolAnswer {
  const { id } = request;
  try {
    return { type: 'done', id, result: perform(spool, request) };
  } catch (error) {
    const { code, message } = toSpoolError(error);
    return { type: 'failed', id, code, message };
  }
}

function perform(spool: Spool, request: SpoolRequest) {
  switch (request.type) {
    case 'put':
      return spool.put(Buffer.from(request.gzip), request.as);
    case 'claim':
      return spool.claim();
    case 'release':
      return spool.release(request.file) as undefined;
    case 'discard':
      return spool.discard(request.file) as undefined;
    case 'set-aside':
      return spool.setAside(request.file, request.as) as undefined;
  }
}

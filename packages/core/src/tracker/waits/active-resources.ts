import { readlinkSync } from 'node:fs';
import { Socket } from 'node:net';
import { activeList } from '../process/active-list.ts';
import { RequestRecord } from '../request-record.ts';
import { fileText } from './file-text.ts';
import type { OutboundFind } from './outbound-find.ts';
import { attemptOf } from './socket-connects.ts';
import { socketStage } from './socket-stage.ts';

/** Resources looked at in one dump. */
const MAX_LOOKED_AT = 20_000;

interface ActiveRequest {
  readonly hostname?: unknown;
  readonly address?: unknown;
  readonly port?: unknown;
  readonly context?: { readonly fd?: unknown };
}

/**
 * What libuv is at work on, with the request in whose context it was begun. Node 20 and 22 keep the context on each resource; later ones keep it
 * where nobody can look, so that nothing is found there.
 *
 * @param storeKey the property under which the context is kept, or `undefined`
 */
export function findActiveResources(storeKey: symbol | undefined): OutboundFind[] {
  if (storeKey === undefined) return [];
  const contextOf = (resource: object): RequestRecord | undefined => {
    const context: unknown = Reflect.get(resource, storeKey);
    return context instanceof RequestRecord && context.slot !== undefined ? context : undefined;
  };
  const found: OutboundFind[] = [];
  for (const request of activeList('_getActiveRequests').slice(0, MAX_LOOKED_AT)) {
    const record = contextOf(request);
    const what = record === undefined ? undefined : requestText(request);
    if (record !== undefined && what !== undefined) found.push({ record, ...what });
  }
  // Sockets that were not made by `net.connect`: Node 20 does not tell of those.
  for (const socket of activeList('_getActiveHandles').slice(0, MAX_LOOKED_AT)) {
    if (!(socket instanceof Socket)) continue;
    const handle: unknown = Reflect.get(socket, '_handle');
    const record = typeof handle === 'object' && handle !== null ? contextOf(handle) : undefined;
    const label = record === undefined ? undefined : socketStage(socket, attemptOf(socket));
    // The address is with the request to connect.
    if (record === undefined || label === undefined || label === 'connect, no answer') continue;
    found.push({ record, type: label.startsWith('DNS') ? 'dns' : 'connect', label });
  }
  return found;
}

function requestText(request: ActiveRequest): Pick<OutboundFind, 'type' | 'label'> | undefined {
  const { hostname, address, port } = request;
  switch (request.constructor.name) {
    case 'GetAddrInfoReqWrap':
      return { type: 'dns', label: `DNS lookup of ${String(hostname)}` };
    case 'GetNameInfoReqWrap':
      return { type: 'dns', label: 'DNS lookup of the name of an address' };
    case 'TCPConnectWrap':
      return { type: 'connect', label: `connect ${String(address)}:${String(port)}, no answer` };
    case 'PipeConnectWrap':
      return { type: 'connect', label: 'connect to a pipe or a Unix socket, no answer' };
    // Those of fs/promises are named by the frames that await them.
    case 'FSReqCallback':
      return { type: 'fs', label: `file system call${openFile(request.context?.fd)}, not finished` };
    default:
      return undefined;
  }
}

/** `readFile` keeps the descriptor that it has opened, and Linux knows which file that is. */
function openFile(fd: unknown): string {
  if (typeof fd !== 'number' || process.platform !== 'linux') return '';
  try {
    return ` on ${fileText(readlinkSync(`/proc/self/fd/${fd}`))}`;
  } catch {
    return '';
  }
}

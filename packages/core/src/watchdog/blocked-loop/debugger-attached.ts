import type { ProcFiles } from './proc-files.ts';

const ESTABLISHED = '01';

/** Where Node's inspector may listen. */
export interface InspectorPorts {
  /** Where it did when the main thread last said so; 0: it was closed. */
  readonly open: number;
  /** Where it does, or would if it were opened now: a signal does that while the main thread stands still. */
  readonly planned: number;
}

/**
 * Whether a debugger is connected to Node's inspector: its breakpoints look like a blocked event loop, and a pause of ours would be one
 * in its window. Where the system does not tell who is connected, an open port counts as one that somebody is connected to.
 */
export function debuggerAttached({ open, planned }: InspectorPorts, proc: ProcFiles): boolean {
  const tables = [proc.text('self/net/tcp'), proc.text('self/net/tcp6')].filter((text) => text !== undefined);
  if (tables.length === 0) return open !== 0;
  const suffixes = [open, planned].filter((port) => port > 0).map(suffixOf);
  const inodes = tables.flatMap((table) =>
    table.split('\n').flatMap((line) => {
      // NUMBER: LOCAL REMOTE STATE QUEUES TIMER RETRANSMITS USER TIMEOUT INODE …
      const [, local, , state, , , , , , inode] = line.trim().split(/\s+/);
      return state === ESTABLISHED && suffixes.some((suffix) => local?.endsWith(suffix)) ? [inode] : [];
    }),
  );
  return inodes.length > 0 && anyIsOurs(inodes, proc);
}

const suffixOf = (port: number) => `:${port.toString(16).toUpperCase().padStart(4, '0')}`;

/** Another process of the machine may listen where this one would. */
function anyIsOurs(inodes: readonly (string | undefined)[], proc: ProcFiles): boolean {
  const descriptors = proc.list('self/fd');
  if (descriptors.length === 0) return true;
  const sockets = new Set(inodes.map((inode) => `socket:[${inode}]`));
  return descriptors.some((descriptor) => sockets.has(proc.link(`self/fd/${descriptor}`) ?? ''));
}

import type { ProcFiles } from './proc-files.ts';

const ESTABLISHED = '01';

/**
 * Whether a debugger is connected to Node's inspector port: its breakpoints look like a blocked event loop, and a pause of ours would be one
 * in its window. Where the system does not tell who is connected, an open port counts as one that somebody is connected to.
 *
 * @param port 0: the inspector is closed
 */
export function debuggerAttached(port: number, proc: ProcFiles): boolean {
  if (port === 0) return false;
  const tables = [proc.text('self/net/tcp'), proc.text('self/net/tcp6')].filter((text) => text !== undefined);
  if (tables.length === 0) return true;
  const suffix = `:${port.toString(16).toUpperCase().padStart(4, '0')}`;
  return tables.some((table) =>
    table.split('\n').some((line) => {
      // NUMBER: LOCAL REMOTE STATE …
      const [, local, , state] = line.trim().split(/\s+/);
      return state === ESTABLISHED && local?.endsWith(suffix) === true;
    }),
  );
}

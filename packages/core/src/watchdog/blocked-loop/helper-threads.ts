import type { ProcFiles } from './proc-files.ts';

/** Beside them there is one that keeps their delayed tasks. */
const KEEPERS = 1;

/**
 * The threads on which V8 collects garbage beside the thread whose heap it is: they say so (Node 24 and later), or are the first that the process
 * has started.
 *
 * @param poolSize how many there are
 */
export function helperThreads(proc: ProcFiles, pid: number, poolSize: number): readonly number[] {
  const threads = proc
    .list('self/task')
    .map(Number)
    .sort((a, b) => a - b);
  const named = threads.filter((thread) => proc.text(`self/task/${thread}/comm`)?.includes('V8Worker'));
  if (named.length > 0) return named;
  return poolSize === 0 ? [] : threads.filter((thread) => thread > pid).slice(0, KEEPERS + poolSize);
}

/** CPU time that they have had, all together; `undefined` where the system does not say. */
export function cpuMsOf(threads: readonly number[], proc: ProcFiles): number | undefined {
  if (threads.length === 0) return undefined;
  const runNs = threads.map((thread) => Number(proc.text(`self/task/${thread}/schedstat`)?.split(' ')[0]));
  return runNs.some(Number.isNaN) ? undefined : runNs.reduce((sum, each) => sum + each, 0) / 1e6;
}

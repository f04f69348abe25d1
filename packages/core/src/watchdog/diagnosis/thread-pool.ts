import type { DumpPoolThread, DumpThreadPool } from '@hangwatch/protocol';
import type { ResourceCounts } from '../../shared/worker-protocol.ts';
import { readKernelThread } from '../blocked-loop/kernel-thread.ts';
import { type ProcFiles, procFiles } from '../blocked-loop/proc-files.ts';
import { sleepingIn } from '../blocked-loop/sleeping-in.ts';

/**
 * Active resources that are work for libuv's pool: file system calls, `getaddrinfo`, crypto jobs, zlib. Handles that merely exist
 * (`FileHandle`, `Zlib`) are not among them.
 */
const POOL_WORK =
  /^(FSReqCallback|FSReqPromise|GetAddrInfoReqWrap|GetNameInfoReqWrap|.*Job|.*JOB|RandomBytesRequest|PBKDF2Request|ScryptRequest)$/;
const MOST_THREADS = 64;

/**
 * libuv's pool, where it has more work than threads: then whatever asks for the file system, DNS, crypto or zlib may have to wait, whoever is at fault.
 * `undefined` where it has not.
 *
 * @param threads what is known of the pool's threads; asked for only then
 */
export function threadPoolOf(
  resources: ResourceCounts,
  size: number,
  threads: () => DumpPoolThread[] = () => busyPoolThreads(procFiles),
): DumpThreadPool | undefined {
  const pending = Object.entries(resources).reduce((sum, [type, n]) => (POOL_WORK.test(type) ? sum + n : sum), 0);
  return pending > size ? { size, pending, threads: threads() } : undefined;
}

/** What the pool's threads do, where the kernel tells: those that are busy, or asleep in a file or a socket. */
export function busyPoolThreads(proc: ProcFiles): DumpPoolThread[] {
  const threads: DumpPoolThread[] = [];
  for (const id of proc.list('self/task').slice(0, MOST_THREADS * 4)) {
    const thread = Number(id);
    const name = proc.text(`self/task/${id}/comm`) ?? '';
    // Node names them from 24 on. Before that they are called as the process is, as V8's own workers are; the main thread has its number.
    if (!name.startsWith('libuv-worker') && (name !== 'node' || proc.link('self') === id)) continue;
    const reading = readKernelThread(proc, thread);
    // One that waits for work sleeps in a lock, one that turns an event loop in `epoll_wait`.
    if (reading === undefined) continue;
    if (reading.state === 'R') {
      if (name.startsWith('libuv-worker')) threads.push({ state: 'running', what: 'computes' });
      continue;
    }
    const { what, systemCall } = sleepingIn(reading, proc, thread, 0);
    if (systemCall === undefined || systemCall === 'futex' || systemCall.startsWith('epoll')) continue;
    threads.push({ state: 'sleeping', what, systemCall });
    if (threads.length === MOST_THREADS) break;
  }
  return threads;
}

/**
 * For the sentence of a report. More is not known: what is done counts until the main thread hears of it, and of look-ups of names (DNS) libuv
 * has no more than half of the threads do at once.
 */
export function poolSentence(pool: DumpThreadPool | undefined): string {
  if (pool === undefined) return '';
  const waiting = pool.pending - pool.size;
  const waits = waiting === 1 ? 'one waits' : `${waiting} wait`;
  return `; libuv's pool has ${pool.pending} pieces of work for ${pool.size} threads: at least ${waits} for a thread, or for the main thread to hear that it is done`;
}

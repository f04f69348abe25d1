import { describe, expect, test } from 'vitest';
import type { ProcFiles } from '../blocked-loop/proc-files.ts';
import { busyPoolThreads, poolSentence, threadPoolOf } from './thread-pool.ts';

describe('the thread pool', () => {
  test.each([
    [{ FSReqCallback: 4, Timeout: 9, TCPSocketWrap: 20, FileHandle: 7 }, undefined],
    [{ FSReqCallback: 3, GetAddrInfoReqWrap: 1, PBKDF2Job: 1 }, 5],
    [{ FSReqPromise: 9 }, 9],
  ])('%j for 4 threads', (resources, pending) => {
    expect(threadPoolOf(resources, 4, () => [])?.pending).toBe(pending);
  });

  test('is said in the sentence', () => {
    expect(poolSentence(threadPoolOf({ FSReqCallback: 6 }, 4, () => []))).toBe(
      "; libuv's pool has 6 pieces of work for 4 threads: at least 2 wait for a thread, or for the main thread to hear that it is done",
    );
    expect(poolSentence(undefined)).toBe('');
  });

  test('names what its threads sleep in, and leaves out those that wait for work, and other threads', () => {
    const files: Record<string, string> = {};
    const thread = (id: number, comm: string, call: string, wchan = '') => {
      files[`self/task/${id}/comm`] = comm;
      files[`self/task/${id}/stat`] = `${id} (${comm}) S 1 41 41 0 -1 0 0 0 0 0 1 1 0 0`;
      files[`self/task/${id}/syscall`] = call;
      files[`self/task/${id}/wchan`] = wchan;
    };
    const call = process.arch === 'arm64' ? { read: 63, futex: 98, epoll: 22 } : { read: 0, futex: 202, epoll: 281 };
    thread(41, 'node', `${call.read} 0x15 0x0`);
    thread(42, 'libuv-worker', `${call.read} 0x15 0x0`, 'pipe_read');
    thread(43, 'libuv-worker', `${call.futex} 0x15 0x0`);
    thread(44, 'node', `${call.epoll} 0x15 0x0`);
    thread(45, 'other', `${call.read} 0x15 0x0`);
    const proc: ProcFiles = {
      text: (path) => files[path],
      link: (path) => (path === 'self' ? '41' : '/tmp/fifo'),
      list: () => ['41', '42', '43', '44', '45'],
    };
    expect(busyPoolThreads(proc)).toEqual([{ state: 'sleeping', what: 'reads from a FIFO', systemCall: 'read' }]);
  });
});

import { describe, expect, test } from 'vitest';
import { debuggerAttached } from './debugger-attached.ts';
import { cpuMsOf, helperThreads } from './helper-threads.ts';
import { readKernelThread } from './kernel-thread.ts';
import type { ProcFiles } from './proc-files.ts';
import { sleepingIn } from './sleeping-in.ts';

function proc(files: Record<string, string>, links: Record<string, string> = {}): ProcFiles {
  return {
    text: (path) => files[path],
    link: (path) => links[path],
    list: (path) =>
      Object.keys(links).flatMap((link) => (link.startsWith(`${path}/`) ? [link.slice(path.length + 1)] : [])),
  };
}
const stat = (name: string, state: string, utime = 0, stime = 0, starttime = 0) =>
  `41 (${name}) ${state} 1 41 41 0 -1 4194304 0 0 0 0 ${utime} ${stime} 0 0 20 0 11 0 ${starttime} 0`;

/** A thread that sleeps in a system call of x64. */
function sleepIn(call: string, wchan: string, files: Record<string, string> = {}, links: Record<string, string> = {}) {
  const all = proc(
    { 'self/task/41/stat': stat('node', 'S'), 'self/task/41/syscall': call, 'self/task/41/wchan': wchan, ...files },
    links,
  );
  const reading = readKernelThread(all, 41, 'x64');
  if (reading === undefined) throw new Error('it has a stat file');
  return sleepingIn(reading, all, 41, 1_000);
}

describe('a thread of /proc', () => {
  test('is read with its CPU time to the nanosecond, a name with parentheses notwithstanding', () => {
    const files = proc({
      'self/task/41/stat': stat('a) b (c', 'R', 7, 3),
      'self/task/41/schedstat': '1500000000 250000000 9',
      'self/task/41/syscall': 'running',
      'self/task/41/wchan': '0',
    });
    expect(readKernelThread(files, 41)).toEqual({
      state: 'R',
      cpuMs: 1_500,
      cpuWaitMs: 250,
      systemCall: undefined,
      wchan: '',
    });
  });

  test('is read without what a container hides', () => {
    expect(readKernelThread(proc({ 'self/task/41/stat': stat('node', 'S', 7, 3) }), 41)).toEqual({
      state: 'S',
      cpuMs: 100,
      cpuWaitMs: undefined,
      systemCall: undefined,
      wchan: '',
    });
    expect(readKernelThread(proc({}), 41)).toBeUndefined();
  });

  test.each([
    ['arm64', '22 0x16', 'epoll_pwait'],
    ['x64', '281 0x16', 'epoll_pwait'],
    ['x64', '9999 0x0', 'system call 9999'],
    ['riscv64', '22 0x16', 'system call 22'],
  ])('on %s, %s is %s', (architecture, syscall, name) => {
    const files = proc({ 'self/task/41/stat': stat('node', 'S'), 'self/task/41/syscall': `${syscall} 0x7ff 0x55` });
    expect(readKernelThread(files, 41, architecture)?.systemCall?.name).toBe(name);
  });
});

describe('a sleeping thread', () => {
  test.each([
    ['202 0x7f 0x89', 'futex_do_wait', 'thread-wait', 'waits for another thread (Atomics.wait, or a lock)'],
    ['73 0x5 0x2', 'flock_lock_inode_wait', 'file-lock', 'waits for a lock on a file'],
    ['72 0x5 0x7', '', 'file-lock', 'waits for a lock on a file'],
    ['61 0x0 0x0', 'do_wait', 'child-process', 'waits for a child process'],
    ['257 0x5 0x0', 'wait_for_partner', 'file-system', 'opens a FIFO whose other end nobody has open'],
    ['42 0x5 0x0', 'inet_wait_for_connect', 'network', 'waits in connect for a socket or another process'],
    [
      '0 0x5 0x0',
      'rpc_wait_bit_killable',
      'network-file-system',
      'waits for a network file system (rpc_wait_bit_killable)',
    ],
    ['230 0x0 0x0', 'hrtimer_nanosleep', 'native-call', 'sleeps for a set time'],
    ['281 0x5 0x0', 'do_epoll_wait', 'unknown', 'waits in epoll_pwait, in an event loop of its own'],
  ])('in %s (%s): %s', (call, wchan, cause, what) => {
    expect(sleepIn(call, wchan)).toMatchObject({ cause, what });
  });

  test.each([
    ['pipe:[12]', 'pipe_read', 'reads from a pipe'],
    ['/tmp/secret-name', 'pipe_read', 'reads from a FIFO'],
    ['/dev/pts/3', 'n_tty_read', 'reads from a device'],
    ['/srv/secret-name', '', 'reads from a file'],
  ])('reading from %s', (target, wchan, what) => {
    expect(sleepIn('0 0x15 0x0', wchan, {}, { 'self/fd/21': target })).toMatchObject({ cause: 'file-system', what });
  });

  test('on a network file system is known by its mount', () => {
    const files = {
      'self/fdinfo/21': 'pos:\t0\nflags:\t02\nmnt_id:\t77',
      'self/mountinfo': '7 1 0:1 / / rw - ext4 /dev/a rw\n77 7 0:50 / /mnt/data rw,x - nfs4 host:/x rw',
    };
    expect(sleepIn('0 0x15 0x0', '', files, { 'self/fd/21': '/mnt/data/secret' })).toMatchObject({
      cause: 'network-file-system',
      what: 'reads from a file on nfs4 (/mnt/data)',
    });
  });

  test('that waits for a child names its program, and not one that ran before', () => {
    const files = {
      'self/task/41/children': '50 51',
      uptime: '1000.00 5.0',
      '50/stat': stat('old-worker', 'S', 0, 0, 50_000),
      '51/stat': stat('pg_dump', 'S', 0, 0, 99_900),
    };
    expect(sleepIn('281 0x5 0x0', 'do_epoll_wait', files)).toMatchObject({
      cause: 'child-process',
      what: 'waits for a child process (pg_dump)',
    });
  });
});

describe("V8's helper threads", () => {
  const tasks = Object.fromEntries([41, 42, 43, 44, 45, 46, 47].map((id) => [`self/task/${id}`, '']));
  test('are those that say so, or else the first that the process has started', () => {
    const named = { 'self/task/44/comm': 'node-V8Worker', 'self/task/46/comm': 'V8Worker' };
    expect(helperThreads(proc(named, tasks), 41, 4)).toEqual([44, 46]);
    expect(helperThreads(proc({}, tasks), 41, 4)).toEqual([42, 43, 44, 45, 46]);
    expect(helperThreads(proc({}, tasks), 41, 0)).toEqual([]);
  });

  test('have had so much of a CPU, or nobody knows', () => {
    const files = { 'self/task/42/schedstat': '1500000 2 3', 'self/task/43/schedstat': '500000 2 3' };
    expect(cpuMsOf([42, 43], proc(files))).toBe(2);
    expect(cpuMsOf([42, 44], proc(files))).toBeUndefined();
    expect(cpuMsOf([], proc(files))).toBeUndefined();
  });
});

describe('a debugger', () => {
  const header = '  sl  local_address rem_address   st';
  const table = (state: string) =>
    `${header}\n   0: 0100007F:240D 0100007F:E0A2 ${state} 00000000:00000000 00:00000000 00000000     0        0 4711 1 0`;
  const ours = { 'self/fd/19': 'socket:[4711]' };
  const notOurs = { 'self/fd/19': 'socket:[4712]' };
  test.each([
    ['no inspector', [0, 0], { 'self/net/tcp': table('01') }, {}, false],
    ['nobody connected', [9_229, 9_229], { 'self/net/tcp': table('0A') }, {}, false],
    ['somebody connected', [9_229, 9_229], { 'self/net/tcp': header, 'self/net/tcp6': table('01') }, {}, true],
    ['somebody connected to us', [9_229, 9_229], { 'self/net/tcp': table('01') }, ours, true],
    ['a port opened since', [0, 9_229], { 'self/net/tcp': table('01') }, ours, true],
    ['a process that listens there', [0, 9_229], { 'self/net/tcp': table('01') }, notOurs, false],
    ['another port', [9_230, 9_230], { 'self/net/tcp': table('01') }, {}, false],
    ['nobody knows', [9_229, 9_229], {}, {}, true],
    ['nobody knows, and none was open', [0, 9_229], {}, {}, false],
  ])('%s', (_, [open = 0, planned = 0], files: Record<string, string>, links: Record<string, string>, attached) => {
    expect(debuggerAttached({ open, planned }, proc(files, links))).toBe(attached);
  });
});

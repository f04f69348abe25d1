import type { BlockCause } from '@hangwatch/protocol';
import type { KernelReading } from './kernel-thread.ts';
import type { ProcFiles } from './proc-files.ts';

/** What a sleeping thread sleeps in. */
export interface Sleep {
  readonly cause: BlockCause;
  /** `waits for a child process (pg_dump)`. */
  readonly what: string;
  /** Its name, where there is one. */
  readonly systemCall?: string | undefined;
}

/** `fcntl` commands that wait for a lock. https://man7.org/linux/man-pages/man2/fcntl.2.html */
const LOCKING = [7, 38];
const TICKS_PER_SECOND = 100;
/** A child that is older than the block by more than this is not what the thread waits for. */
const CHILD_SLACK_MS = 1_500;
const NETWORK_FILE_SYSTEM = /^(nfs\d?|cifs|smb\d?|smbfs|ceph|afs|9p|lustre|gfs2|ocfs2|beegfs|glusterfs|fuse(\..*)?)$/;
const IN_NETWORK_FILE_SYSTEM =
  /^(nfs|rpc_|cifs_|smb2?_|ceph_|p9_|v9fs_|afs_|fuse_|request_wait_answer|wait_for_response)/;

/**
 * Says what a thread that sleeps in the kernel waits for, from the system call, its file descriptor and the kernel function. File names stay
 * out: they may hold what belongs to somebody.
 *
 * @param forMs for how long it has been asleep, to know its child processes by
 */
export function sleepingIn(reading: KernelReading, proc: ProcFiles, thread: number, forMs: number): Sleep {
  return { ...explain(reading, proc, thread, forMs), systemCall: reading.systemCall?.name };
}

function explain({ systemCall, wchan }: KernelReading, proc: ProcFiles, thread: number, forMs: number): Sleep {
  const name = systemCall?.name ?? '';
  if (
    /lock_inode_wait/.test(wchan) ||
    name === 'flock' ||
    (name === 'fcntl' && LOCKING.includes(systemCall?.args[1] ?? 0))
  )
    return { cause: 'file-lock', what: 'waits for a lock on a file' };
  if (IN_NETWORK_FILE_SYSTEM.test(wchan))
    return { cause: 'network-file-system', what: `waits for a network file system (${wchan})` };
  if (wchan === 'wait_for_partner')
    return { cause: 'file-system', what: 'opens a FIFO whose other end nobody has open' };
  switch (name) {
    case 'wait4':
    case 'waitid':
    case 'epoll_wait':
    case 'epoll_pwait':
    case 'epoll_pwait2':
      return inEventLoop(name, proc, thread, forMs);
    case 'futex':
      return { cause: 'thread-wait', what: 'waits for another thread (Atomics.wait, or a lock)' };
    case 'nanosleep':
    case 'clock_nanosleep':
      return { cause: 'native-call', what: 'sleeps for a set time' };
    case 'connect':
    case 'accept':
    case 'recvfrom':
    case 'recvmsg':
    case 'sendto':
    case 'sendmsg':
    case 'poll':
    case 'ppoll':
    case 'select':
    case 'pselect6':
      return { cause: 'network', what: `waits in ${name} for a socket or another process` };
    case '':
      return { cause: 'unknown', what: `sleeps in the kernel${wchan === '' ? '' : ` (${wchan})`}` };
    default:
      return onFile(name, systemCall?.args[0] ?? -1, wchan, proc);
  }
}

/** `spawnSync` and its like turn an event loop of their own until the child has ended. */
function inEventLoop(name: string, proc: ProcFiles, thread: number, forMs: number): Sleep {
  const children = youngChildren(proc, thread, forMs + CHILD_SLACK_MS);
  if (children.length > 0)
    return { cause: 'child-process', what: `waits for a child process (${children.slice(0, 3).join(', ')})` };
  if (name.startsWith('wait')) return { cause: 'child-process', what: 'waits for a child process' };
  return { cause: 'unknown', what: `waits in ${name}, in an event loop of its own` };
}

/** Program names, without arguments, of the thread's children that are younger than that. */
function youngChildren(proc: ProcFiles, thread: number, youngerThanMs: number): string[] {
  const ids = (proc.text(`self/task/${thread}/children`) ?? '').split(' ').filter(Boolean);
  const uptimeMs = Number((proc.text('uptime') ?? '').split(' ')[0]) * 1_000;
  return ids.flatMap((id) => {
    const stat = proc.text(`${id}/stat`);
    if (stat === undefined) return [];
    const startedMs = (Number(stat.slice(stat.lastIndexOf(')') + 2).split(' ')[19]) * 1_000) / TICKS_PER_SECOND;
    return uptimeMs - startedMs <= youngerThanMs ? [stat.slice(stat.indexOf('(') + 1, stat.lastIndexOf(')'))] : [];
  });
}

function onFile(name: string, descriptor: number, wchan: string, proc: ProcFiles): Sleep {
  const target = proc.link(`self/fd/${descriptor}`);
  const doing = doingWith(name);
  if (target === undefined) return { cause: 'file-system', what: `is in the system call ${name}` };
  if (target.startsWith('socket:')) return { cause: 'network', what: `${doing} a socket` };
  if (target.startsWith('pipe:')) return { cause: 'file-system', what: `${doing} a pipe` };
  if (/pipe_(read|write|wait)|fifo/.test(wchan)) return { cause: 'file-system', what: `${doing} a FIFO` };
  const mount = mountOf(descriptor, proc);
  if (mount !== undefined && NETWORK_FILE_SYSTEM.test(mount.type))
    return { cause: 'network-file-system', what: `${doing} a file on ${mount.type} (${mount.point})` };
  return { cause: 'file-system', what: `${doing} ${target.startsWith('/dev/') ? 'a device' : 'a file'}` };
}

function doingWith(name: string): string {
  if (name.includes('write') || name === 'copy_file_range') return 'writes to';
  if (name.includes('sync')) return `waits in ${name} for`;
  return name.includes('read') ? 'reads from' : `waits in ${name} for`;
}

interface Mount {
  readonly type: string;
  readonly point: string;
}

/** https://man7.org/linux/man-pages/man5/proc_pid_mountinfo.5.html */
function mountOf(descriptor: number, proc: ProcFiles): Mount | undefined {
  const id = /^mnt_id:\s*(\d+)$/m.exec(proc.text(`self/fdinfo/${descriptor}`) ?? '')?.[1];
  if (id === undefined) return undefined;
  const line = (proc.text('self/mountinfo') ?? '').split('\n').find((each) => each.startsWith(`${id} `));
  const [left = '', right = ''] = (line ?? '').split(' - ');
  const point = left.split(' ')[4];
  const type = right.split(' ')[0];
  return point === undefined || type === undefined || type === '' ? undefined : { point, type };
}

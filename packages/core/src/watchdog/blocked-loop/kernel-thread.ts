import type { ProcFiles } from './proc-files.ts';
import { systemCallName } from './system-calls.ts';

/** A thread as the kernel sees it at one moment. */
export interface KernelReading {
  /** `R` running or ready, `S` asleep, `D` asleep in a device or file system, `T` stopped. */
  readonly state: string;
  /** CPU time since the thread began. */
  readonly cpuMs: number;
  /** Time since the thread began in which it could have run, and no CPU was free. */
  readonly cpuWaitMs: number | undefined;
  /** The same as `cpuMs` of the threads that V8 collects garbage with, where it is known. */
  readonly helperCpuMs?: number | undefined;
  /** The system call it sleeps in. */
  readonly systemCall: { readonly name: string; readonly args: readonly number[] } | undefined;
  /** The kernel function it sleeps in, `''` where the kernel keeps that to itself. */
  readonly wchan: string;
}

/** Clock ticks a second in `/proc/…/stat`: the same on every Linux that Node runs on. */
const TICKS_PER_SECOND = 100;

/** Reads one thread of this process. `undefined` where there is no `/proc`, or the thread is gone. */
export function readKernelThread(
  proc: ProcFiles,
  thread: number,
  architecture: string = process.arch,
): KernelReading | undefined {
  const folder = `self/task/${thread}`;
  const stat = proc.text(`${folder}/stat`);
  if (stat === undefined) return undefined;
  // The name comes in parentheses and may hold anything, parentheses and spaces as well.
  const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
  const ticks = Number(fields[11]) + Number(fields[12]);
  // To the nanosecond where the kernel counts so: stat's ticks are 10 ms long.
  const [runNs, waitNs] = (proc.text(`${folder}/schedstat`) ?? '').split(' ').map(Number);
  const exact = runNs !== undefined && runNs > 0;
  return {
    state: fields[0] ?? '',
    cpuMs: exact ? runNs / 1e6 : (ticks * 1_000) / TICKS_PER_SECOND || 0,
    cpuWaitMs: exact && waitNs !== undefined ? waitNs / 1e6 : undefined,
    systemCall: parseSystemCall(proc.text(`${folder}/syscall`), architecture),
    wchan: wchanOf(proc.text(`${folder}/wchan`)),
  };
}

/** `NUMBER ARG… SP PC` of a thread that sleeps in a call, `running` of one that does not sleep. */
function parseSystemCall(text: string | undefined, architecture: string): KernelReading['systemCall'] {
  if (text === undefined) return undefined;
  const [number, ...rest] = text.split(' ').map(Number);
  if (number === undefined || Number.isNaN(number) || number < 0) return undefined;
  return { name: systemCallName(number, architecture), args: rest.slice(0, 6) };
}

const wchanOf = (text: string | undefined): string => (text === undefined || text === '0' ? '' : text);

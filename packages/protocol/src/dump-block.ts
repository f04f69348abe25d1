import type { DumpFrame } from './dump-place.ts';

/**
 * Why a thread does not come back to its event loop.
 *
 * - `javascript`: code runs and does not return; `regular-expression`: in a regular expression that backtracks
 * - `native-call`: it computes outside JavaScript: `JSON.parse`, crypto, zlib, an addon
 * - `child-process`, `file-system`, `file-lock`, `network-file-system`, `network`: a synchronous call sleeps in the kernel
 * - `thread-wait`: `Atomics.wait`, or a lock that another thread holds
 * - `garbage-collection`: most of the time went to V8's garbage collector
 * - `cpu-starvation`: it could run, and gets no CPU
 * - `unknown`: the system does not say
 */
export type BlockCause =
  | 'javascript'
  | 'regular-expression'
  | 'native-call'
  | 'child-process'
  | 'file-system'
  | 'file-lock'
  | 'network-file-system'
  | 'network'
  | 'thread-wait'
  | 'garbage-collection'
  | 'cpu-starvation'
  | 'unknown';

/** An event loop that stands still, and what its thread does meanwhile. */
export interface DumpBlock {
  /** For how long; on a `recovered` dump for how long it was in the end. */
  sinceMs: number;
  /** What the kernel says of the thread. */
  state: 'running' | 'sleeping' | 'waiting-for-cpu' | 'unknown';
  cause: BlockCause;
  /** What it does, in words: `runs a regular expression in parse (src/parse.ts:31:20)`. */
  what: string;
  /** The system call it sleeps in: `epoll_wait`. */
  systemCall?: string | undefined;
  /** CPU time of the thread during the block. */
  cpuMs?: number | undefined;
  /** How long it could have run during the block, and no CPU was free. */
  cpuWaitMs?: number | undefined;
  /** Share of its heap's limit that is in use, 0 to 1, where that could be asked. */
  heapUsed?: number | undefined;
  /** Number of the request whose code runs, as the thread itself says. */
  running?: number | undefined;
  /** Where the thread could not be asked: number of the request that was last seen to begin or go on. What runs may be something else. */
  lastRan?: number | undefined;
  /** The synchronous stack, innermost frame first; empty where there is none. */
  stack: DumpFrame[];
  /** Why there is no stack, or when it was taken. */
  stackNote?: string | undefined;
}

/** libuv's thread pool, which file system, DNS, crypto and zlib work of the whole process share. */
export interface DumpThreadPool {
  size: number;
  /** Pieces of work that have been given to it and are not done. */
  pending: number;
  /** What its threads do, as far as the system says. */
  threads: DumpPoolThread[];
}

/** One thread of the pool. */
export interface DumpPoolThread {
  state: 'running' | 'sleeping';
  /** What it does, in words: `reads from a FIFO`. */
  what: string;
  systemCall?: string | undefined;
}

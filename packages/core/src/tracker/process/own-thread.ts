import cluster from 'node:cluster';
import { readlinkSync } from 'node:fs';

/** libuv's default, and its most. https://docs.libuv.org/en/v1.x/threadpool.html */
const DEFAULT_POOL = 4;
const LARGEST_POOL = 1_024;
/** Node's default of `--v8-pool-size`. */
const DEFAULT_HELPERS = 4;

/** The number of the calling thread in `/proc/self/task`, on Linux. A process's number is not enough: in another thread it is another. */
export function kernelThread(): number | undefined {
  if (process.platform !== 'linux') return undefined;
  try {
    const thread = Number(readlinkSync('/proc/thread-self').split('/').at(-1));
    return Number.isInteger(thread) && thread > 0 ? thread : undefined;
  } catch {
    // No /proc here: the report then says less.
    return undefined;
  }
}

/** `cluster.worker.id`. */
export function clusterWorker(): number | undefined {
  return cluster.worker?.id;
}

/** Threads in libuv's pool. */
export function poolSize(): number {
  const size = Number.parseInt(process.env['UV_THREADPOOL_SIZE'] ?? '', 10);
  return Number.isNaN(size) ? DEFAULT_POOL : Math.max(1, Math.min(LARGEST_POOL, size));
}

/** Threads in V8's pool. */
export function helperPoolSize(): number {
  const given = [...(process.env['NODE_OPTIONS'] ?? '').split(' '), ...process.execArgv]
    .map((option) => /^--v8-pool-size=(\d+)$/.exec(option)?.[1])
    .findLast((size) => size !== undefined);
  return given === undefined ? DEFAULT_HELPERS : Number(given);
}

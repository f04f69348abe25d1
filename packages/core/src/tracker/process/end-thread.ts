import type { Worker } from 'node:worker_threads';

/**
 * Ends a thread, and waits for its end, `longestMs` at most: one that waits for a disk that hangs cannot be ended. From then on it is no work of
 * this process.
 */
export async function endThread(worker: Worker, longestMs: number): Promise<void> {
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<void>((resolve) => {
    timer = setTimeout(resolve, longestMs);
  });
  await Promise.race([worker.terminate(), late]);
  clearTimeout(timer);
  // terminate() has made it work of this process.
  worker.unref();
}

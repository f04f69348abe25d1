// The watchdog's thread is nobody's business: to hurry it, to end it or to make it fail, a test has to catch it as it is made.
import { syncBuiltinESMExports } from 'node:module';
import workerThreads from 'node:worker_threads';

/**
 * To be called before hangwatch is loaded.
 *
 * @param settings put over those that the thread is started with
 * @param preload a file that the thread loads first
 * @returns the watchdog's workers so far, and how many messages they and the main thread have exchanged
 */
export function catchWatchdog({ settings = {}, preload } = {}) {
  const caught = { workers: [], messages: 0 };
  const { Worker } = workerThreads;
  workerThreads.Worker = class extends Worker {
    #isWatchdog;

    constructor(file, options = {}) {
      const isWatchdog = options.name === 'hangwatch';
      const changed = { ...options, workerData: { ...options.workerData, ...settings } };
      if (preload !== undefined) changed.execArgv = ['--require', preload];
      super(file, isWatchdog ? changed : options);
      this.#isWatchdog = isWatchdog;
      if (!isWatchdog) return;
      caught.workers.push(this);
      this.on('message', () => {
        caught.messages += 1;
      });
    }

    postMessage(...args) {
      if (this.#isWatchdog) caught.messages += 1;
      super.postMessage(...args);
    }
  };
  syncBuiltinESMExports();
  return caught;
}

/** Settings with which each block shows its stack, however many come. */
export const NO_LIMIT = { pauses: { everyMs: 0, share: 1 } };

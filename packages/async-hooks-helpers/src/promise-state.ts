import { inspect } from 'node:util';

// Values are not looked into: only the state is asked for.
const OPTIONS = { depth: 0, customInspect: false, breakLength: Number.POSITIVE_INFINITY, maxStringLength: 0 } as const;

/**
 * Whether a promise has not settled yet, without touching it: a `then` would count as handling its rejection. Some 2 microseconds; `false` where
 * it cannot be told.
 *
 * @example
 * if (isPending(job)) console.log('still at it');
 */
export function isPending(promise: Promise<unknown>): boolean {
  try {
    return /^[^{]*\{ <pending>/.test(inspect(promise, OPTIONS));
  } catch {
    // A getter of the application's on the promise threw: then nothing can be said of it.
    return false;
  }
}

/** Whether a promise has been rejected, without touching it; `false` where it cannot be told. */
export function isRejected(promise: Promise<unknown>): boolean {
  try {
    return /^[^{]*\{\s*<rejected>/.test(inspect(promise, OPTIONS));
  } catch {
    return false;
  }
}

/** A timer of a {@link Clock}; opaque, only good for `clearTimeout`. */
export type Timer = object;

/** Time as the delivery sees it; a test hands in one that it turns by hand. */
export interface Clock {
  /** Monotonic milliseconds. */
  now(): number;
  /** Milliseconds since 1970: what other processes can compare with. Leases and file names only. */
  wallNow(): number;
  /** Calls back once, `delayMs` from now; must not keep the process alive. */
  setTimeout(callback: () => void, delayMs: number): Timer;
  clearTimeout(timer: Timer | undefined): void;
}

/** The real clock; its timers are unref'd. */
export const systemClock: Clock = {
  now: () => performance.now(),
  wallNow: () => Date.now(),
  setTimeout: (callback, delayMs) => setTimeout(callback, delayMs).unref(),
  clearTimeout: (timer) => {
    if (timer !== undefined) clearTimeout(timer as NodeJS.Timeout);
  },
};

/** What {@link within} gives when the time was up first. */
export const TIMED_OUT = Symbol('timed out');

/**
 * The promise's value, or {@link TIMED_OUT} when it has not settled after `limitMs`. The work itself goes on.
 *
 * @example
 * if ((await within(spool.put(bytes), 5_000, clock)) === TIMED_OUT) give up on the disk
 */
export async function within<T>(promise: Promise<T>, limitMs: number, clock: Clock): Promise<T | typeof TIMED_OUT> {
  let timer: Timer | undefined;
  const limit = new Promise<typeof TIMED_OUT>((resolve) => {
    timer = clock.setTimeout(() => resolve(TIMED_OUT), limitMs);
  });
  try {
    return await Promise.race([promise, limit]);
  } finally {
    clock.clearTimeout(timer);
  }
}

import { existingTracker } from './process/process-tracker.ts';
import type { RequestRecord } from './request-record.ts';

/** The request whose context the calling code runs in. */
export interface CurrentRequest {
  /** Number of the request in reports: `#41`. */
  readonly id: number;
  /** The route's pattern, once known. */
  readonly route: string | undefined;
  /**
   * Fires when the request is reported as stuck and the option `abort` is on, with a `HangwatchError` of code `HANGWATCH_ERR_STUCK` as its
   * reason. Made when it is first read; without `abort` it never fires.
   */
  readonly signal: AbortSignal;
}

class Handle implements CurrentRequest {
  readonly id: number;
  readonly #record: RequestRecord;

  constructor(record: RequestRecord) {
    this.id = record.id;
    this.#record = record;
  }

  get route(): string | undefined {
    return this.#record.route;
  }

  get signal(): AbortSignal {
    return this.#record.signal;
  }
}

/**
 * The request that this code runs for, or `undefined` outside any.
 *
 * @example
 * const rows = await fetch(url, { signal: currentRequest()?.signal });
 */
export function currentRequest(): CurrentRequest | undefined {
  const record = existingTracker()?.current();
  return record === undefined ? undefined : new Handle(record);
}

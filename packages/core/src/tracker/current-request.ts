import { existingTracker } from './process-tracker.ts';
import type { RequestRecord } from './request-record.ts';

/** The request whose context the calling code runs in. */
export interface CurrentRequest {
  /** Number of the request in reports: `#41`. */
  readonly id: number;
  /** The route's pattern, once known. */
  readonly route: string | undefined;
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
}

/**
 * The request that this code runs for, or `undefined` outside any.
 *
 * @example
 * log.info({ request: currentRequest()?.id }, 'order paid');
 */
export function currentRequest(): CurrentRequest | undefined {
  const record = existingTracker()?.current();
  return record === undefined ? undefined : new Handle(record);
}

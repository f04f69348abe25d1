import type { Rules } from './options/rules.ts';
import type { RequestRecord } from './request-record.ts';

/** Waits for the requests of one registration that are in flight. Event streams and upgraded connections may stay open for ever, and are not waited for. */
export class Drain {
  readonly #waitedFor: Set<RequestRecord>;
  readonly #over: () => void;

  /** @param over called when the last one has left */
  constructor(records: readonly (RequestRecord | undefined)[], rules: Rules, over: () => void) {
    this.#over = over;
    const isMine = (record: RequestRecord | undefined): record is RequestRecord =>
      record?.slot !== undefined && record.rules === rules && !record.openEnded;
    this.#waitedFor = new Set(records.filter(isMine));
    rules.onLeft = (record) => this.#left(record);
  }

  /** There is nobody to wait for. */
  get isOver(): boolean {
    return this.#waitedFor.size === 0;
  }

  #left(record: RequestRecord): void {
    if (this.#waitedFor.delete(record) && this.isOver) this.#over();
  }
}

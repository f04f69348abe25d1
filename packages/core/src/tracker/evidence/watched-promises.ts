import { isPending } from '@hangwatch/async-hooks-helpers';
import type { DumpWait } from '@hangwatch/protocol';
import { clockSince } from '../../shared/slot-layout.ts';

/** Promises kept of one request. */
const MAX_WATCHED = 64;

interface WatchedPromise {
  readonly promise: Promise<unknown>;
  readonly label: string;
  readonly sinceClock: number;
}

/** Promises that a request has said it waits for. Each scan drops those that have settled, so that none keeps its result alive. */
export class WatchedPromises {
  #list: WatchedPromise[] = [];

  add(promise: Promise<unknown>, label: string, sinceClock: number): void {
    if (this.#list.length >= MAX_WATCHED) this.dropSettled();
    // Neither the oldest nor the newest goes: one of them may be the culprit.
    if (this.#list.length >= MAX_WATCHED) this.#list.splice(MAX_WATCHED >> 1, 1);
    this.#list.push({ promise, label, sinceClock });
  }

  dropSettled(): void {
    if (this.#list.length > 0) this.#list = this.#list.filter(({ promise }) => isPending(promise));
  }

  /** Those that are pending, oldest first. */
  waits(nowMs: number): DumpWait[] {
    this.dropSettled();
    return this.#list.map(({ label, sinceClock }) => ({
      type: 'promise',
      label,
      sinceMs: clockSince(nowMs, sinceClock),
    }));
  }
}

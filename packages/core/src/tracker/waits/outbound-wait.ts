import type { DumpWait } from '@hangwatch/protocol';
import type { OutboundType } from '../../shared/outbound-types.ts';
import { clockSince } from '../../shared/slot-layout.ts';
import type { RequestRecord } from '../request-record.ts';

/** Waits of one request in a dump: the oldest, one of which is the culprit if any is. */
export const MAX_SHOWN = 100;

/**
 * Something outside of the process's own code that a request has begun to wait for: a link of a list in the request's record.
 *
 * Subclasses keep what the application made (a request, a socket, a child) and say in words how far it got only when a dump asks:
 * a call that all goes well with costs an object.
 */
export abstract class OutboundWait {
  abstract readonly type: OutboundType;
  readonly record: RequestRecord;
  readonly sinceClock: number;
  #linked = true;
  #newer: OutboundWait | undefined;
  #older: OutboundWait | undefined;

  constructor(record: RequestRecord) {
    this.record = record;
    this.sinceClock = record.owner.clock[0] ?? 0;
    // Calls made one after another keep nothing of each other until the next sweep.
    const before = record.outbound;
    if (before !== undefined && isOver(before)) before.end();
    const { outbound } = record;
    this.#older = outbound;
    if (outbound !== undefined) outbound.#newer = this;
    record.outbound = this;
  }

  /** What is waited for and how far it got: `GET http://127.0.0.1:9/x, sent, no response headers`. */
  abstract label(): string;

  /** Whether it has come to an end that nobody told of: looked at once in a scan, and before it is shown. */
  over(): boolean {
    return false;
  }

  /** It is over: that counts as progress of the request. Idempotent. */
  end(): void {
    if (!this.#linked) return;
    const { record } = this;
    if (this.#newer !== undefined) this.#newer.#older = this.#older;
    else record.outbound = this.#older;
    if (this.#older !== undefined) this.#older.#newer = this.#newer;
    this.#unlink();
    record.outboundFinished();
    record.owner.outboundEnded(record.id, this.type, this.sinceClock);
  }

  #unlink(): void {
    this.#linked = false;
    this.#newer = undefined;
    this.#older = undefined;
  }

  /** The request is over: whoever still holds one of its waits holds none of the others. */
  static release(record: RequestRecord): void {
    let wait = record.outbound;
    record.outbound = undefined;
    while (wait !== undefined) {
      const older: OutboundWait | undefined = wait.#older;
      wait.#unlink();
      wait = older;
    }
  }

  /** Whether the request waits for anything outside, other than a module. */
  static hasOther(record: RequestRecord): boolean {
    for (let wait = record.outbound; wait !== undefined; wait = wait.#older) if (wait.type !== 'import') return true;
    return false;
  }

  /** Ends those that are over. */
  static sweep(record: RequestRecord): void {
    let wait = record.outbound;
    while (wait !== undefined) {
      const older: OutboundWait | undefined = wait.#older;
      if (isOver(wait)) wait.end();
      wait = older;
    }
  }

  /** What the request waits for, oldest first. */
  static of(record: RequestRecord, nowMs: number): DumpWait[] {
    const waits: OutboundWait[] = [];
    for (let wait = record.outbound; wait !== undefined; wait = wait.#older) waits.push(wait);
    const shown: DumpWait[] = [];
    for (const wait of waits.reverse()) {
      if (shown.length >= MAX_SHOWN) break;
      if (isOver(wait)) continue;
      shown.push({ type: wait.type, label: labelOf(wait), sinceMs: clockSince(nowMs, wait.sinceClock) });
    }
    return shown;
  }
}

// An application's objects can throw from any getter: what cannot be read is shown as little as it can be.
function isOver(wait: OutboundWait): boolean {
  try {
    return wait.over();
  } catch {
    return false;
  }
}

function labelOf(wait: OutboundWait): string {
  try {
    return wait.label();
  } catch {
    return 'a call that cannot be described';
  }
}

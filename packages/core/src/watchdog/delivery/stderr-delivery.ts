import type { Dump } from '@hangwatch/protocol';
import type { PostedNow } from '../../shared/worker-protocol.ts';
import { type Clock, within } from './clock.ts';
import type { DeliveryCounters, MutableCounters } from './counters.ts';
import type { Delivery } from './delivery.ts';
import type { DumpPrinter } from './dump-printer.ts';

/** The delivery of a process without a collector: readable reports to stderr. */
export class StderrDelivery implements Delivery {
  /** There is no spool. */
  readonly mayHang = false;
  readonly #printer: DumpPrinter;
  readonly #counters: MutableCounters;
  readonly #clock: Clock;
  readonly #printing = new Set<Promise<void>>();

  constructor(printer: DumpPrinter, counters: MutableCounters, clock: Clock) {
    this.#printer = printer;
    this.#counters = counters;
    this.#clock = clock;
  }

  get counters(): DeliveryCounters {
    return this.#counters;
  }

  send(dump: Dump): void {
    this.#counters.sent += 1;
    const printing = this.#printer.print(dump).finally(() => this.#printing.delete(printing));
    this.#printing.add(printing);
  }

  async postNow(): Promise<PostedNow> {
    return { ok: false, reason: 'no collector is configured: reports go to stderr' };
  }

  keepRecord(): void {
    // There is nobody to post it later.
  }

  async endQuietly(): Promise<void> {
    // No record is kept.
  }

  async close(deadlineMs: number): Promise<void> {
    const all = [...this.#printing];
    await within(Promise.all(all), deadlineMs, this.#clock);
    this.#printer.close();
    await Promise.all(all);
  }
}

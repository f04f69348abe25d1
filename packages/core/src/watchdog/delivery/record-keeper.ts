import type { Dump } from '@hangwatch/protocol';
import type { CountedSpool } from './counted-spool.ts';
import { packDump } from './parcel.ts';
import type { Problems } from './problems.ts';

/** Keeps the last record of this process in the spool. While the disk is busy with one, the next ones replace each other in memory. */
export class RecordKeeper {
  readonly #spool: Pick<CountedSpool, 'keepRecord' | 'forgetRecord'>;
  readonly #problems: Problems;
  #kept = false;
  #busy = false;
  #next: { readonly dump: Dump | undefined } | undefined;

  constructor(spool: Pick<CountedSpool, 'keepRecord' | 'forgetRecord'>, problems: Problems) {
    this.#spool = spool;
    this.#problems = problems;
  }

  keep(dump: Dump | undefined): void {
    if (dump === undefined) {
      void this.forget();
      return;
    }
    this.#kept = true;
    this.#next = { dump };
    if (!this.#busy) void this.#work();
  }

  /** Asked at once, whatever the disk is busy with: it may be the last thing that this process says. */
  async forget(): Promise<void> {
    this.#next = undefined;
    if (!this.#kept) return;
    this.#kept = false;
    await this.#spool.forgetRecord();
  }

  async #work(): Promise<void> {
    this.#busy = true;
    for (let next = this.#next; next?.dump !== undefined; next = this.#next) {
      this.#next = undefined;
      try {
        await this.#spool.keepRecord(packDump(next.dump).gzip);
      } catch (error) {
        this.#problems.tell('dump-unpackable', `a record cannot be turned into JSON: ${String(error)}`);
      }
    }
    this.#busy = false;
  }
}

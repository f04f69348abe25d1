import type { Dump } from '@hangwatch/protocol';
import { messageOf } from '../message-of.ts';
import type { Closing, CutOff, ToMain } from '../shared/worker-protocol.ts';
import type { Investigator } from './investigator.ts';
import type { Reports } from './reports/reports.ts';
import { toldPart } from './reports/told-part.ts';
import type { SourceMapper } from './source-maps/source-mapper.ts';
import { oldestFirst, refOf, type Suspect, type Watched } from './table/scanner.ts';

/** Requests of a snapshot that are shown as fully as stuck ones are. */
const DETAILED = 200;

interface Parts {
  readonly investigator: Pick<Investigator, 'lookInto' | 'evidence'>;
  readonly reports: Pick<Reports, 'cutOff' | 'snapshot' | 'closing'>;
  readonly sources: Pick<SourceMapper, 'map'>;
  readonly nowMs: () => number;
  readonly inFlight: () => readonly Watched[];
  readonly post: (message: ToMain) => void;
}

/** What is to be found out and reported, one thing after the other: the main thread answers one question at a time. */
export class Inquiries {
  readonly #parts: Parts;
  #last: Promise<void> | undefined;

  constructor(parts: Parts) {
    this.#parts = parts;
  }

  /** Something is being found out. */
  get busy(): boolean {
    return this.#last !== undefined;
  }

  /** Resolves when all that was begun has been reported. */
  async done(): Promise<void> {
    await this.#last;
  }

  suspects(suspects: readonly Suspect[], foundMs: number): void {
    this.#begin(() => this.#parts.investigator.lookInto(suspects, foundMs));
  }

  cutOff(message: CutOff): void {
    const { sources, reports } = this.#parts;
    this.#begin(async () => {
      const { value, note } = await sources.map(message.evidence);
      reports.cutOff({ ...message, evidence: value }, note);
    });
  }

  /** Somebody has asked for it, and is answered in any case. */
  snapshot(id: number): void {
    const { investigator, reports, inFlight, post } = this.#parts;
    this.#begin(async () => {
      let dump: Dump | undefined;
      try {
        const { gathered, takenMs } = await investigator.evidence(inFlight().slice(0, DETAILED).map(refOf));
        dump = reports.snapshot(gathered, takenMs);
      } finally {
        post({ type: 'snapshot', id, dump: dump === undefined ? dump : toldPart(dump) });
      }
    });
  }

  /** An application does not get closed. */
  closing(closing: Closing): void {
    const { investigator, reports, inFlight, nowMs } = this.#parts;
    this.#begin(async () => {
      const first = oldestFirst(inFlight(), nowMs()).slice(0, DETAILED).map(refOf);
      const { gathered, takenMs } = await investigator.evidence(first);
      reports.closing(closing, gathered, takenMs);
    });
  }

  #begin(work: () => Promise<void>): void {
    const inquiry = (this.#last ?? Promise.resolve())
      .then(work)
      .catch((error: unknown) =>
        this.#parts.post({
          type: 'problem',
          code: 'HANGWATCH_ERR_INTERNAL',
          message: `a scan failed: ${messageOf(error)}`,
        }),
      )
      .finally(() => {
        if (this.#last === inquiry) this.#last = undefined;
      });
    this.#last = inquiry;
  }
}

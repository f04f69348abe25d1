import type { Dump, DumpSuppressed } from '@hangwatch/protocol';
import type { Watched } from '../table/scanner.ts';
import { REFILL_MS, StormControl } from './storm-control.ts';

/** How long it may take until what was suppressed is said. */
const LONGEST_UNSAID_MS = 60_000;

/** Something that was found of a request. */
interface About {
  readonly watched: Watched;
}

/** Where dumps leave the watchdog: storm control says which of them may, and what it has held back is told in the next one that does. */
export class Outbox {
  readonly #deliver: (dump: Dump) => void;
  readonly #nowMs: () => number;
  readonly #storm: StormControl;

  constructor(deliver: (dump: Dump) => void, nowMs: () => number) {
    this.#deliver = deliver;
    this.#nowMs = nowMs;
    this.#storm = new StormControl(nowMs());
  }

  /** Whether any report may leave now. Where none may, these requests are left alone until one may. */
  mayReport(requests: readonly About[]): boolean {
    const open = this.#storm.open(this.#nowMs());
    if (!open) this.#hold(requests);
    return open;
  }

  /** Whether a report of these hangs would be more than counted. */
  isNews(fingerprints: readonly string[]): boolean {
    return this.#storm.isNews(fingerprints, this.#nowMs());
  }

  /**
   * Sends a report of requests that hang.
   *
   * @param build makes the dump, if it may leave
   * @returns the dump; `known` where it says nothing new, and was counted; `held` where it has to wait: the requests are found again
   */
  report(fingerprints: readonly string[], requests: readonly About[], build: () => Dump): Dump | 'known' | 'held' {
    const admitted = this.#storm.admit(fingerprints, requests.length, this.#nowMs());
    if (admitted === 'go') return this.send(build());
    if (admitted === 'known') return 'known';
    this.#hold(requests);
    return 'held';
  }

  /** The same of a request that is over, and cannot be found again: what may not leave now is counted. */
  reportOver(fingerprint: string, build: () => Dump): void {
    const admitted = this.#storm.admit([fingerprint], 1, this.#nowMs());
    if (admitted === 'go') this.send(build());
    else if (admitted === 'wait') this.suppress(1);
  }

  /** The same of what cannot wait, and comes one at a time. */
  reportAtOnce(fingerprint: string, requests: number, build: () => Dump): Dump | undefined {
    return this.#storm.admitAtOnce(fingerprint, requests, this.#nowMs()) ? this.send(build()) : undefined;
  }

  /** Sends what nothing may hold back: what completes a report or tells its end, or was asked for. */
  send(dump: Dump): Dump {
    const sent = { ...dump, suppressed: this.#storm.takeSuppressed() };
    this.#deliver(sent);
    return sent;
  }

  /** Counts requests that hung and will be in no report. */
  suppress(requests: number): void {
    if (requests > 0) this.#storm.suppress(requests, this.#nowMs());
  }

  /**
   * Says how much was suppressed, where no other report has come to say it.
   *
   * @param overdue it is to be said now, since nothing may come for long
   */
  tellSuppressed(overdue: boolean, build: (suppressed: DumpSuppressed) => Dump): void {
    const sinceMs = this.#storm.suppressedSinceMs;
    if (sinceMs === undefined || (!overdue && this.#nowMs() - sinceMs < LONGEST_UNSAID_MS)) return;
    this.#deliver(build(this.#storm.takeSuppressed()));
  }

  /** The next token brings them up again. */
  #hold(requests: readonly About[]): void {
    for (const { watched } of requests) watched.heldUntilMs = this.#nowMs() + REFILL_MS;
  }
}

import type { Dump } from '@hangwatch/protocol';
import { FLAG_REPORTED } from '../../shared/slot-layout.ts';
import type {
  Closing,
  CutOff,
  PostedNow,
  SlotRef,
  ToMain,
  ToWatchdog,
  WatchdogSettings,
} from '../../shared/worker-protocol.ts';
import { diagnoseCutOff } from '../diagnosis/diagnose-cut-off.ts';
import { Episode } from '../diagnosis/episode.ts';
import type { Finding } from '../diagnosis/finding.ts';
import { fingerprintOf } from '../diagnosis/fingerprint.ts';
import type { Gathered } from '../table/main-thread.ts';
import { isToBeActedOn, oldestFirst, refOf, type Watched } from '../table/scanner.ts';
import type { TableReader } from '../table/table-reader.ts';
import { cutOffDump } from './cut-off-dump.ts';
import type { DumpBase } from './dump-base.ts';
import { endedDump } from './ended-dump.ts';
import { hangDump } from './hang-dump.ts';
import type { Outbox } from './outbox.ts';
import { ReportLedger } from './report-ledger.ts';
import { shutdownDump } from './shutdown-dump.ts';
import { snapshotDump } from './snapshot-dump.ts';
import { suppressedDump } from './suppressed-dump.ts';
import { toldPart } from './told-part.ts';

interface Parts {
  readonly settings: Pick<WatchdogSettings, 'scanIntervalMs' | 'cwd' | 'notifyHang'>;
  readonly base: DumpBase;
  readonly outbox: Outbox;
  readonly table: Pick<TableReader, 'mark' | 'generation'>;
  readonly nowMs: () => number;
  /** Somebody's requests that were there at a moment. */
  readonly inFlight: (thenMs: number) => readonly Watched[];
  readonly post: (message: ToMain) => void;
  readonly postNow: (dump: Dump) => Promise<PostedNow>;
  /** What is kept of this process in case it dies is behind the times. */
  readonly outdated: () => void;
}

/** Tells what was found of requests, and remembers what it has told of whom. */
export class Reports {
  readonly #parts: Parts;
  readonly #ledger = new ReportLedger();

  constructor(parts: Parts) {
    this.#parts = parts;
  }

  /**
   * Requests that hang.
   *
   * @param foundMs the scan that found them: what it saw is reported, and what moves later is news
   * @param nowMs when the evidence was taken
   * @returns whether they were reported; else they say nothing new, or have to wait
   */
  hangs(findings: readonly Finding[], gathered: Gathered, foundMs: number, nowMs: number): 'sent' | 'known' | 'held' {
    const { base, outbox, inFlight, settings, post, outdated } = this.#parts;
    const fingerprints = findings.map((finding) => finding.fingerprint);
    const follows = this.#ledger.commonDump(findings);
    const sent = outbox.report(fingerprints, findings, () =>
      hangDump(base, { findings, inFlight: inFlight(nowMs), gathered, nowMs, follows }),
    );
    if (sent === 'held') {
      this.act(findings);
      return sent;
    }
    if (sent !== 'known') {
      if (settings.notifyHang) post({ type: 'hang', dump: toldPart(sent) });
      this.#remember(findings, sent);
      outdated();
    }
    for (const { watched, verdict, place } of findings) {
      if (watched.episode === undefined) watched.episode = new Episode(verdict, place, foundMs);
      else watched.episode.reported(verdict, place, foundMs);
    }
    this.act(findings);
    return sent === 'known' ? sent : 'sent';
  }

  /**
   * Has the main thread act on what is stuck, and not on what merely takes long: once the report is on its way, or where none may leave, since its client
   * waits all the same.
   */
  act(findings: readonly Finding[]): void {
    const found = findings.filter(({ watched, verdict }) => isToBeActedOn(watched) && verdict.evidence !== 'slow');
    if (found.length === 0) return;
    for (const { watched } of found) watched.actedOn = true;
    const requests = found.map(({ watched, verdict }) => ({ ...refOf(watched), summary: verdict.summary }));
    this.#parts.post({ type: 'stuck', requests });
  }

  /** What nobody has been told of, where no other report has come to say how much that was. */
  suppressed(overdue: boolean): void {
    const { base, outbox, nowMs } = this.#parts;
    outbox.tellSuppressed(overdue, (suppressed) => suppressedDump(base, suppressed, nowMs()));
  }

  /** The hang of a self-test: in a dump of its own, past storm control, told to nobody but whoever staged it. */
  staged(finding: Finding, gathered: Gathered, foundMs: number, nowMs: number): void {
    const { base, post, postNow } = this.#parts;
    const { watched } = finding;
    const built = hangDump(base, { findings: [finding], inFlight: [watched], gathered, nowMs });
    const verdict = { ...built.verdict, summary: `self-test, staged on purpose: ${built.verdict.summary}` };
    const dump: Dump = { ...built, verdict, selfTest: true };
    this.#remember([finding], dump);
    watched.episode = new Episode(finding.verdict, finding.place, foundMs);
    post({ type: 'staged-found', ...refOf(watched), dumpId: dump.id, stack: dump.requests[0]?.stacks[0] ?? [] });
    // Not waited for: a collector that is slow to answer must not keep other requests from being looked at.
    void postNow(dump).then((outcome) => post({ type: 'staged-posted', dumpId: dump.id, outcome }));
  }

  /** A request that is over, so that nothing more can be asked: what the main thread saw as it ended is all there is. */
  cutOff(cut: CutOff, note: string | undefined): void {
    const { base, outbox, inFlight, settings } = this.#parts;
    const nowMs = this.#parts.nowMs();
    const verdict = diagnoseCutOff(cut, settings);
    const { method, route, stacks } = cut.evidence;
    const fingerprint = fingerprintOf({ evidence: verdict.evidence, method, route, stacks });
    outbox.reportOver(fingerprint, () =>
      cutOffDump(base, { cut, verdict, fingerprint, inFlight: inFlight(nowMs), nowMs, note }),
    );
  }

  /** Everything in flight, for somebody who has asked. */
  snapshot(gathered: Gathered, nowMs: number): Dump {
    const { base, outbox, inFlight } = this.#parts;
    return outbox.send(snapshotDump(base, inFlight(nowMs), gathered, nowMs));
  }

  /** An application that does not get closed. */
  closing(closing: Closing, gathered: Gathered, nowMs: number): void {
    const { base, outbox } = this.#parts;
    const inFlight = oldestFirst(this.#parts.inFlight(nowMs), nowMs);
    outbox.send(shutdownDump(base, { closing, inFlight, gathered, nowMs, follows: this.#ledger.lastDump(inFlight) }));
  }

  /** A request that was reported has ended. `true` where {@link ended} is to be called soon. */
  left(message: Extract<ToWatchdog, { type: 'left' }>): boolean {
    return this.#ledger.left(message);
  }

  /** Tells of the requests that have ended. */
  ended(): void {
    const { base, outbox } = this.#parts;
    for (const ended of this.#ledger.takeEnded()) outbox.send(endedDump(base, ended, this.#parts.nowMs()));
  }

  /** The dump that last reported one of these. */
  lastDump(requests: readonly SlotRef[]): string | undefined {
    return this.#ledger.lastDump(requests);
  }

  #remember(findings: readonly Finding[], dump: Dump): void {
    const { table } = this.#parts;
    this.#ledger.add(findings, dump);
    for (const { watched } of findings) table.mark(watched.slot, watched.generation, FLAG_REPORTED);
    // A request may end between its judgement and its mark: nobody will tell of it.
    for (const { watched } of findings) {
      if (table.generation(watched.slot) !== watched.generation) this.#ledger.forget(refOf(watched));
    }
  }
}

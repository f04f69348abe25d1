import type { Dump, DumpCrash } from '@hangwatch/protocol';
import { messageOf } from '../message-of.ts';
import {
  CAPTURES_PER_SECOND,
  FLAG_NOTIFY,
  FLAG_REPORTED,
  FLAG_STAGED,
  HEADER_CELLS,
  kBeat,
  kCaptureBudget,
  kClockMs,
  kInFlight,
  kParked,
  kRecordKept,
} from '../shared/slot-layout.ts';
import {
  type CutOff,
  MAX_REQUESTS,
  type PostedNow,
  type ToMain,
  type ToWatchdog,
  type WatchdogSettings,
} from '../shared/worker-protocol.ts';
import type { BlockProbe } from './blocked-loop/block-probe.ts';
import { BlockReports } from './blocked-loop/block-reports.ts';
import { BlockedLoop } from './blocked-loop/blocked-loop.ts';
import { diagnoseCutOff } from './diagnosis/diagnose-cut-off.ts';
import { Episode } from './diagnosis/episode.ts';
import { combineFingerprints, fingerprintOf } from './diagnosis/fingerprint.ts';
import { SlowPlaces } from './diagnosis/slow-places.ts';
import { Investigator } from './investigator.ts';
import { DumpBuilder, type Finding } from './reports/dump-builder.ts';
import { type KeepRecord, LastRecord } from './reports/last-record.ts';
import { ReportLedger } from './reports/report-ledger.ts';
import { REFILL_MS, StormControl } from './reports/storm-control.ts';
import type { SourceMapper } from './source-maps/source-mapper.ts';
import { AwakeClock } from './table/awake-clock.ts';
import { ClockPauses } from './table/clock-pauses.ts';
import { type Gathered, MainThread } from './table/main-thread.ts';
import { RecentPast } from './table/recent-past.ts';
import { RecorderReader } from './table/recorder-reader.ts';
import { beganAfter, refOf, type Scan, Scanner, type Suspect, type Watched } from './table/scanner.ts';
import { TableReader } from './table/table-reader.ts';

/** Share of the main thread's time that samples and looks may take. */
const MAIN_THREAD_SHARE = 0.01;
/** Scans with nothing in flight after which the watchdog sleeps until it is woken. */
const IDLE_SCANS = 5;
/** Requests of a snapshot that are shown as fully as stuck ones are. */
const DETAILED = 200;

/** What the loop needs from outside: the thread's entry file wires it, tests bring their own. */
export interface WatchLoopParts {
  readonly settings: WatchdogSettings;
  readonly monotonicMs: () => number;
  readonly post: (message: ToMain) => void;
  readonly deliver: (dump: Dump) => void;
  readonly postNow: (dump: Dump) => Promise<PostedNow>;
  readonly keepRecord: KeepRecord;
  readonly sources: Pick<SourceMapper, 'map' | 'close'>;
  readonly blockProbe: BlockProbe;
}

/**
 * The watchdog: scans the table, has suspects investigated, reports what it finds. It is driven by calls, and owns one timer only.
 */
export class WatchLoop {
  readonly #parts: WatchLoopParts;
  readonly #header: Uint32Array;
  readonly #captureBudget: Int32Array;
  readonly #table = new TableReader();
  readonly #texts = new Map<number, string>();
  readonly #scanner = new Scanner(this.#table);
  readonly #clock: AwakeClock;
  readonly #pauses = new ClockPauses();
  readonly #main: MainThread;
  readonly #investigator: Investigator;
  readonly #dumps: DumpBuilder;
  readonly #storm: StormControl;
  readonly #ledger = new ReportLedger();
  readonly #blockedLoop: BlockedLoop;
  readonly #lastRecord: LastRecord;
  readonly #places: SlowPlaces;
  #timer: NodeJS.Timeout | undefined;
  #investigation: Promise<void> | undefined;
  #idleScans = 0;
  #lastScanMs: number;
  #stopped = false;

  constructor(parts: WatchLoopParts) {
    const { settings, monotonicMs, post } = parts;
    this.#parts = parts;
    this.#header = new Uint32Array(settings.header, 0, HEADER_CELLS);
    this.#captureBudget = new Int32Array(settings.header, kCaptureBudget * 4, 1);
    this.#lastScanMs = monotonicMs();
    // Ages go on from where an earlier watchdog of this process left off.
    this.#clock = new AwakeClock(settings.scanIntervalMs, this.#lastScanMs, Atomics.load(this.#header, kClockMs));
    this.#main = new MainThread(post, settings.evidenceWaitMs, () => Atomics.load(this.#header, kBeat));
    this.#investigator = new Investigator({ table: this.#table, main: this.#main, texts: this.#texts, settings });
    this.#places = new SlowPlaces(this.#main);
    const recorder = new RecorderReader(settings.recorder);
    const past = new RecentPast(recorder, this.#texts, this.#pauses, settings.scanIntervalMs);
    this.#dumps = new DumpBuilder(settings, this.#texts, past);
    this.#storm = new StormControl(this.#clock.nowMs);
    const { blockedLoopMs: thresholdMs, cwd } = settings;
    const reports = new BlockReports({
      dumps: this.#dumps,
      storm: this.#storm,
      texts: this.#texts,
      nowMs: () => this.#clock.nowMs,
      inFlight: () => this.#inFlight(this.#clock.nowMs),
      deliver: parts.deliver,
    });
    this.#blockedLoop = new BlockedLoop({
      ...parts.blockProbe,
      header: this.#header,
      thresholdMs,
      cwd,
      monotonicMs,
      post,
      anyInFlight: () => this.#inFlight(this.#clock.nowMs).length > 0,
      report: (found) => reports.report(found),
      ended: (block, follows) => reports.ended(block, follows),
    });
    this.#lastRecord = new LastRecord(this.#dumps, (dump) => this.#keepRecord(dump), settings.scanIntervalMs);
  }

  start(): void {
    this.#blockedLoop.start();
    this.#schedule(this.#parts.settings.scanIntervalMs);
  }

  receive(message: Exclude<ToWatchdog, { type: 'stop' | 'crash' | 'quiet-end' }>): void {
    switch (message.type) {
      case 'segment':
        this.#table.add(message.index, message.buffer);
        return;
      case 'intern':
        this.#texts.set(message.id, message.text);
        return;
      case 'wake':
        this.#wake();
        return;
      case 'left':
        this.#left(message);
        return;
      case 'cut-off':
        this.#investigate(() => this.#cutOff(message));
        return;
      case 'dump':
        this.#investigate(() => this.#snapshot(message.id));
        return;
      case 'look':
      case 'evidence-part':
      case 'evidence-end':
        this.#main.receive(message);
        return;
      default:
        message satisfies never;
    }
  }

  /** Ends the scans; resolves when an investigation that is under way has been reported, with the evidence that there is by now. */
  async stop(): Promise<void> {
    this.#stopped = true;
    clearTimeout(this.#timer);
    this.#blockedLoop.stop();
    this.#main.giveUp();
    // There is no time for it any more.
    this.#parts.sources.close();
    await this.#investigation;
    this.#reportEnded();
    this.#lastRecord.clear();
  }

  /** The process ends: that is reported, with what the table says, and nothing is scanned any more. */
  crash(crash: DumpCrash): void {
    this.endQuietly();
    const nowMs = this.#clock.advance(this.#parts.monotonicMs());
    this.#reportEnded();
    const inFlight = this.#inFlight(nowMs);
    this.#parts.deliver(this.#lastRecord.crash(crash, inFlight, this.#ledger.lastDump(inFlight), nowMs));
  }

  /** The process ends: nothing is scanned any more. */
  endQuietly(): void {
    this.#stopped = true;
    clearTimeout(this.#timer);
    this.#blockedLoop.stop();
  }

  #keepRecord(dump: Dump | undefined): void {
    if (!this.#parts.settings.keepsRecord) return;
    Atomics.store(this.#header, kRecordKept, dump === undefined ? 0 : 1);
    this.#parts.keepRecord(dump);
  }

  /** One scan. Public for tests: in the thread, the timer calls it. */
  scan(): void {
    const { settings, monotonicMs, post } = this.#parts;
    const monotonic = monotonicMs();
    const nowMs = this.#clock.advance(monotonic);
    Atomics.store(this.#header, kClockMs, Math.round(nowMs) >>> 0);
    this.#pauses.advance(nowMs, monotonic);
    this.#refill(monotonic - this.#lastScanMs);
    this.#lastScanMs = monotonic;
    this.#reportEnded();
    const scan = this.#scanner.scan(nowMs);
    this.#lastRecord.update(scan.inFlight, this.#ledger.lastDump(scan.inFlight), nowMs, monotonic);
    if (this.#park(scan.inFlight.length)) return;
    if (scan.inFlight.length > 0) {
      post({
        type: 'sample',
        sentAtMs: performance.timeOrigin + performance.now(),
        budgetMs: settings.scanIntervalMs * MAIN_THREAD_SHARE,
      });
    }
    // What becomes slow is reported all the same if nobody answers.
    this.#places.look(scan.nearlySlow).catch(() => undefined);
    // One at a time: what is found meanwhile is found again by the scan after it.
    const ask = this.#investigation === undefined && !this.#blockedLoop.explainsSilence;
    if (scan.suspects.length > 0 && ask) {
      this.#investigate(() => this.#lookInto(scan, nowMs));
    }
    const untilDueMs = Math.ceil(scan.nextDueMs - nowMs);
    this.#schedule(Math.max(1, Math.min(settings.scanIntervalMs, untilDueMs)));
  }

  #schedule(delayMs: number): void {
    clearTimeout(this.#timer);
    if (!this.#stopped) this.#timer = setTimeout(() => this.scan(), delayMs);
  }

  /** Nothing in flight for a while: no scans until the next request enters. */
  #park(inFlight: number): boolean {
    this.#idleScans = inFlight === 0 ? this.#idleScans + 1 : 0;
    if (this.#idleScans < IDLE_SCANS) return false;
    Atomics.store(this.#header, kParked, 1);
    // A request that entered before it could see PARKED is seen here; one that enters after it wakes us.
    if (Atomics.load(this.#header, kInFlight) > 0 && Atomics.exchange(this.#header, kParked, 0) === 1) return false;
    this.#blockedLoop.stop();
    return true;
  }

  #wake(): void {
    this.#idleScans = 0;
    const monotonic = this.#parts.monotonicMs();
    this.#clock.resume(monotonic);
    this.#blockedLoop.start();
    this.#lastScanMs = monotonic;
    this.#schedule(this.#parts.settings.scanIntervalMs);
  }

  #refill(sinceMs: number): void {
    const budget = Atomics.load(this.#captureBudget, 0) + (CAPTURES_PER_SECOND * sinceMs) / 1_000;
    Atomics.store(this.#captureBudget, 0, Math.min(CAPTURES_PER_SECOND, Math.round(budget)));
  }

  /** The main thread answers one question at a time. */
  #investigate(work: () => Promise<void>): void {
    const investigation = (this.#investigation ?? Promise.resolve())
      .then(work)
      .catch((error: unknown) =>
        this.#parts.post({
          type: 'problem',
          code: 'HANGWATCH_ERR_INTERNAL',
          message: `a scan failed: ${messageOf(error)}`,
        }),
      )
      .finally(() => {
        if (this.#investigation === investigation) this.#investigation = undefined;
      });
    this.#investigation = investigation;
  }

  async #lookInto(scan: Scan, nowMs: number): Promise<void> {
    const confirmed = await this.#investigator.confirm(scan.suspects, nowMs);
    // More than a dump holds: the others are found again by the next scan.
    const suspects = confirmed.filter(({ watched }) => !isStaged(watched)).slice(0, MAX_REQUESTS);
    const staged = confirmed.find(({ watched }) => isStaged(watched));
    if (staged !== undefined) await this.#reportStaged(staged, nowMs);
    if (suspects.length === 0) return;
    // In a storm nothing could be sent: the main thread is left in peace until it could.
    if (!this.#storm.open(nowMs)) {
      hold(suspects, nowMs);
      return;
    }
    // In the sources' own places, before anything is judged by them: texts and fingerprints are the same for every build of a source.
    const answer = await this.#main.gather(suspects.map(({ watched }) => refOf(watched)));
    // A report of the blocked event loop says why there is no answer. Who still stands still afterwards is found again.
    if (answer.requests.size === 0 && !answer.complete && this.#blockedLoop.explainsSilence) return;
    // Ages are those of the evidence, however long the sources take.
    const thenMs = this.#clock.nowMs;
    const gathered = await this.#inSources(this.#withPlaces(answer, suspects));
    const findings = suspects.flatMap((suspect) => this.#investigator.judge(suspect, gathered, nowMs));
    if (findings.length > 0) this.#report(findings, gathered, nowMs, thenMs);
  }

  /** Adds where requests that are slow were seen before. */
  #withPlaces(gathered: Gathered, suspects: readonly Suspect[]): Gathered {
    const requests = new Map(gathered.requests);
    for (const { watched, suspicion } of suspects) {
      const evidence = requests.get(watched.slot);
      const seenAt = suspicion === 'slow' ? this.#places.of(watched) : undefined;
      if (evidence !== undefined && seenAt !== undefined) requests.set(watched.slot, { ...evidence, seenAt });
    }
    return { ...gathered, requests };
  }

  async #inSources(gathered: Gathered): Promise<Gathered> {
    const { value, note } = await this.#parts.sources.map([...gathered.requests]);
    return { ...gathered, requests: new Map(value), note };
  }

  /** @param foundMs the scan that found them: what it saw is reported, and what moves later is news */
  #report(findings: readonly Finding[], gathered: Gathered, foundMs: number, nowMs: number): void {
    const fingerprints = findings.map((finding) => finding.fingerprint);
    const admitted = this.#storm.admit(fingerprints, findings.length, nowMs);
    if (admitted === 'wait') {
      hold(findings, nowMs);
      return;
    }
    if (admitted === 'go') {
      const inFlight = this.#inFlight(nowMs);
      const dump = {
        ...this.#dumps.hang(findings, inFlight, gathered, combineFingerprints(fingerprints), nowMs),
        follows: this.#ledger.commonDump(findings),
        suppressed: this.#storm.takeSuppressed(),
      };
      this.#parts.deliver(dump);
      if (this.#parts.settings.notifyHang) this.#parts.post({ type: 'hang', dump });
      this.#remember(findings, dump);
      this.#lastRecord.outdated();
    }
    for (const { watched, verdict, place } of findings) {
      if (watched.episode === undefined) watched.episode = new Episode(verdict, place, foundMs);
      else watched.episode.reported(verdict, place, foundMs);
    }
    this.#notify(findings);
  }

  /** The main thread acts after the report is on its way, and not on what merely takes long. */
  #notify(findings: readonly Finding[]): void {
    const requests = findings
      .filter(({ watched, verdict }) => (watched.reading.flags & FLAG_NOTIFY) !== 0 && verdict.evidence !== 'slow')
      .map(({ watched, verdict }) => ({ ...refOf(watched), summary: verdict.summary }));
    if (requests.length > 0) this.#parts.post({ type: 'stuck', requests });
  }

  /** The hang of a self-test: in a dump of its own, past storm control, told to nobody but whoever staged it. */
  async #reportStaged(suspect: Suspect, nowMs: number): Promise<void> {
    const { watched } = suspect;
    const answer = await this.#main.gather([refOf(watched)]);
    const thenMs = this.#clock.nowMs;
    const gathered = await this.#inSources(answer);
    const findings = this.#investigator.judge(suspect, gathered, nowMs);
    const [finding] = findings;
    if (finding === undefined) return;
    const built = this.#dumps.hang(findings, [watched], gathered, finding.fingerprint, thenMs);
    const verdict = { ...built.verdict, summary: `self-test, staged on purpose: ${built.verdict.summary}` };
    const dump: Dump = { ...built, verdict, selfTest: true };
    this.#remember(findings, dump);
    watched.episode = new Episode(finding.verdict, finding.place, nowMs);
    const { post, postNow } = this.#parts;
    post({ type: 'staged-found', ...refOf(watched), dumpId: dump.id, stack: dump.requests[0]?.stacks[0] ?? [] });
    // Not waited for: a collector that is slow to answer must not keep other requests from being looked at.
    void postNow(dump).then((outcome) => post({ type: 'staged-posted', dumpId: dump.id, outcome }));
  }

  #remember(findings: readonly Finding[], dump: Dump): void {
    this.#ledger.add(findings, dump);
    for (const { watched } of findings) this.#table.mark(watched.slot, watched.generation, FLAG_REPORTED);
    // A request may end between its judgement and its mark: nobody will tell of it.
    for (const { watched } of findings) {
      if (this.#table.generation(watched.slot) !== watched.generation) this.#ledger.forget(refOf(watched));
    }
  }

  /** Somebody's requests, not those of a self-test, and none that came after a moment. */
  #inFlight(thenMs: number): readonly Watched[] {
    const { inFlight } = this.#scanner.scan(this.#clock.nowMs);
    return inFlight.filter((watched) => !isStaged(watched) && !beganAfter(watched, thenMs));
  }

  /** It is over, so nothing more can be asked: what the main thread saw as it ended is all there is. */
  async #cutOff(message: CutOff): Promise<void> {
    const { value, note } = await this.#parts.sources.map(message.evidence);
    const nowMs = this.#clock.nowMs;
    const verdict = diagnoseCutOff({ ...message, evidence: value }, this.#parts.settings);
    const { method, route, stacks } = value;
    const fingerprint = fingerprintOf({ evidence: verdict.evidence, method, route, stacks });
    const admitted = this.#storm.admit([fingerprint], 1, nowMs);
    // It is over, and cannot be found again later.
    if (admitted === 'wait') this.#storm.suppress(1);
    if (admitted !== 'go') return;
    const inFlight = this.#inFlight(nowMs);
    this.#parts.deliver({
      ...this.#dumps.cutOff({ ...message, evidence: value }, verdict, inFlight, nowMs, note),
      verdict: { evidence: verdict.evidence, summary: `${method} ${route} ${verdict.summary}`, fingerprint },
      suppressed: this.#storm.takeSuppressed(),
    });
  }

  /** Somebody has asked for it, and is answered in any case. */
  async #snapshot(id: number): Promise<void> {
    let dump: Dump | undefined;
    try {
      const first = this.#inFlight(this.#clock.nowMs).slice(0, DETAILED).map(refOf);
      const answer = await this.#main.gather(first);
      const thenMs = this.#clock.nowMs;
      const gathered = await this.#inSources(answer);
      dump = this.#dumps.snapshot(this.#inFlight(thenMs), gathered, thenMs);
      this.#parts.deliver(dump);
    } finally {
      this.#parts.post({ type: 'snapshot', id, dump });
    }
  }

  #left(message: Extract<ToWatchdog, { type: 'left' }>): void {
    if (this.#ledger.left(message) && this.#timer !== undefined)
      this.#schedule(Math.min(50, this.#parts.settings.scanIntervalMs));
  }

  #reportEnded(): void {
    for (const ended of this.#ledger.takeEnded()) {
      this.#parts.deliver({
        ...this.#dumps.ended(ended),
        suppressed: this.#storm.takeSuppressed(),
      });
    }
  }
}

const isStaged = ({ reading }: Watched): boolean => (reading.flags & FLAG_STAGED) !== 0;

/** Nothing may be sent now: the next token brings them up again. */
function hold(held: readonly { readonly watched: Watched }[], nowMs: number): void {
  for (const { watched } of held) watched.heldUntilMs = nowMs + REFILL_MS;
}

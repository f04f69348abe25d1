import type { Dump, DumpCrash, DumpRequestVerdict } from '@hangwatch/protocol';
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
} from '../shared/slot-layout.ts';
import {
  type CutOff,
  MAX_REQUESTS,
  type PostedNow,
  type SlotRef,
  type ToMain,
  type ToWatchdog,
  type WatchdogSettings,
} from '../shared/worker-protocol.ts';
import { AwakeClock } from './awake-clock.ts';
import type { BlockProbe } from './blocked-loop/block-probe.ts';
import { BlockReports } from './blocked-loop/block-reports.ts';
import { BlockedLoop } from './blocked-loop/blocked-loop.ts';
import { ClockPauses } from './clock-pauses.ts';
import { diagnose } from './diagnose.ts';
import { diagnoseCutOff } from './diagnose-cut-off.ts';
import { DumpBuilder, type Finding } from './dump-builder.ts';
import { Episode, standingPlace } from './episode.ts';
import { combineFingerprints, fingerprintOf, tellingStacks } from './fingerprint.ts';
import { type KeepRecord, LastRecord } from './last-record.ts';
import { type Gathered, MainThread } from './main-thread.ts';
import { RecentPast } from './recent-past.ts';
import { RecorderReader } from './recorder-reader.ts';
import { ReportLedger } from './report-ledger.ts';
import { elapsedMs, type Scan, Scanner, type Suspect, type Watched } from './scanner.ts';
import { SlowPlaces } from './slow-places.ts';
import type { SourceMapper } from './source-maps/source-mapper.ts';
import { REFILL_MS, StormControl } from './storm-control.ts';
import { emptyReading, TableReader } from './table-reader.ts';

/** Share of the main thread's time that samples and looks may take. */
const MAIN_THREAD_SHARE = 0.01;
/** Scans with nothing in flight after which the watchdog sleeps until it is woken. */
const IDLE_SCANS = 5;
/** Looks asked for in one scan, oldest first; the rest is asked for in the next. */
const LOOKS_PER_SCAN = 64;
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
      inFlight: () => this.#scanner.scan(this.#clock.nowMs).inFlight,
      deliver: parts.deliver,
    });
    this.#blockedLoop = new BlockedLoop({
      ...parts.blockProbe,
      header: this.#header,
      thresholdMs,
      cwd,
      monotonicMs,
      post,
      report: (found) => reports.report(found),
      ended: (block, follows) => reports.ended(block, follows),
    });
    this.#lastRecord = new LastRecord(this.#dumps, parts.keepRecord, settings.scanIntervalMs);
  }

  start(): void {
    this.#blockedLoop.start();
    this.#schedule(this.#parts.settings.scanIntervalMs);
  }

  receive(message: Exclude<ToWatchdog, { type: 'stop' | 'crash' }>): void {
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
    this.#stopped = true;
    clearTimeout(this.#timer);
    this.#blockedLoop.stop();
    const nowMs = this.#clock.advance(this.#parts.monotonicMs());
    this.#reportEnded();
    const inFlight = this.#inFlight(nowMs);
    this.#parts.deliver(this.#lastRecord.crash(crash, inFlight, this.#ledger.lastDump(inFlight), nowMs));
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
    const confirmed = await this.#confirm(scan.suspects, nowMs);
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
    const gathered = await this.#inSources(this.#withPlaces(answer, suspects));
    const thenMs = this.#clock.nowMs;
    const findings = suspects.flatMap((suspect) => this.#judge(suspect, gathered, nowMs));
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

  /** Looks at the requests that move, and drops those whose own chain is younger than their timeout. */
  async #confirm(suspects: readonly Suspect[], nowMs: number): Promise<readonly Suspect[]> {
    const moving = suspects
      .filter(({ suspicion }) => suspicion === 'moving')
      // Nobody knows yet of those that were never reported. Then who has waited longest, or high slots would never get a look.
      .sort(
        ({ watched: a }, { watched: b }) =>
          Number(a.episode !== undefined) - Number(b.episode !== undefined) ||
          a.lookAtMs - b.lookAtMs ||
          a.advancedAtMs - b.advancedAtMs,
      )
      .slice(0, LOOKS_PER_SCAN);
    const others = suspects.filter(({ suspicion }) => suspicion !== 'moving');
    if (moving.length === 0) return others;
    const looks = await this.#main.look(moving.map(({ watched }) => refOf(watched)));
    const ages = new Map(looks.map((look) => [look.slot, look.youngestOwnMs]));
    const toleranceMs = this.#parts.settings.scanIntervalMs;
    const stalled = moving.filter(({ watched }) => {
      const ageMs = ages.get(watched.slot);
      // No answer, or no time for one: the next scan asks again.
      if (ageMs === 'deferred' || !ages.has(watched.slot)) return false;
      const { timeoutMs } = watched.reading;
      if (standsAsReported(watched, ageMs, nowMs)) {
        watched.lookAtMs = nowMs + timeoutMs;
        return false;
      }
      const stalledMs =
        ageMs === undefined
          ? Math.min(nowMs - watched.advancedAtMs, nowMs - watched.outboundAtMs)
          : ageMs - toleranceMs;
      if (stalledMs >= timeoutMs) return true;
      watched.lookAtMs = nowMs + Math.max(1, timeoutMs - stalledMs);
      return false;
    });
    return [...others, ...stalled];
  }

  #judge({ watched, suspicion }: Suspect, gathered: Gathered, nowMs: number): Finding[] {
    const { slot, generation } = watched;
    // Gone, or moving again, while the evidence was being gathered: no hang.
    if (this.#table.generation(slot) !== generation || this.#hasMoved(watched, suspicion)) return [];
    const evidence = gathered.requests.get(slot);
    const judgement = diagnose({
      suspicion,
      timeoutMs: watched.reading.timeoutMs,
      idleMs: nowMs - watched.movedAtMs,
      stalledMs: nowMs - watched.advancedAtMs,
      outboundIdleMs: nowMs - watched.outboundAtMs,
      elapsedMs: elapsedMs(watched, nowMs),
      toleranceMs: this.#parts.settings.scanIntervalMs,
      cwd: this.#parts.settings.cwd,
      evidence: evidence?.generation === generation ? evidence : undefined,
    });
    if (!judgement.stuck) {
      watched.lookAtMs = nowMs + judgement.againInMs;
      return [];
    }
    const place = standingPlace(evidence);
    if (watched.episode?.isNews(judgement.verdict, place) === false) {
      watched.episode.again(nowMs);
      return [];
    }
    const verdict = watched.episode === undefined ? judgement.verdict : repeated(judgement.verdict);
    const method = evidence?.method ?? this.#texts.get(watched.reading.method) ?? '';
    const route = evidence?.route ?? this.#texts.get(watched.reading.route) ?? '';
    const fingerprint = fingerprintOf({ evidence: verdict.evidence, method, route, stacks: tellingStacks(evidence) });
    return [{ watched, verdict, fingerprint, place }];
  }

  /** What makes a `still` request no suspect is any movement; what makes a `moving` one none is an advance of its own. */
  #hasMoved(watched: Watched, suspicion: Suspect['suspicion']): boolean {
    const now = emptyReading();
    if (suspicion === 'slow' || !this.#table.read(watched.slot, now)) return false;
    const { reading } = watched;
    if (now.progress !== reading.progress) return true;
    return suspicion === 'still' && (now.sequence !== reading.sequence || now.outbound !== reading.outbound);
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
    const gathered = await this.#inSources(await this.#main.gather([refOf(watched)]));
    const findings = this.#judge(suspect, gathered, nowMs);
    const [finding] = findings;
    if (finding === undefined) return;
    const built = this.#dumps.hang(findings, [watched], gathered, finding.fingerprint, this.#clock.nowMs);
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

  /** Somebody's requests, not those of a self-test. */
  #inFlight(nowMs: number): readonly Watched[] {
    return this.#scanner.scan(nowMs).inFlight.filter((watched) => !isStaged(watched));
  }

  /** It is over, so nothing more can be asked: what the main thread saw as it ended is all there is. */
  async #cutOff(message: CutOff): Promise<void> {
    const { value, note } = await this.#parts.sources.map(message.evidence);
    const nowMs = this.#clock.nowMs;
    const verdict = diagnoseCutOff({ ...message, evidence: value }, this.#parts.settings);
    const { method, route, stacks } = value;
    const fingerprint = fingerprintOf({ evidence: verdict.evidence, method, route, stacks });
    if (this.#storm.admit([fingerprint], 1, nowMs) !== 'go') return;
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
      const gathered = await this.#inSources(await this.#main.gather(first));
      const nowMs = this.#clock.nowMs;
      dump = this.#dumps.snapshot(this.#inFlight(nowMs), gathered, nowMs);
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
const refOf = ({ slot, generation }: Watched): SlotRef => ({ slot, generation });

/** What it was last reported for still goes on: the same await of its own, or, where none is known, no advance since. */
function standsAsReported({ episode, advancedAtMs, outboundAtMs }: Watched, ownMs: number | undefined, nowMs: number) {
  if (episode === undefined) return false;
  const sinceMs = ownMs === undefined ? Math.max(advancedAtMs, outboundAtMs) : nowMs - ownMs;
  return sinceMs <= episode.atMs;
}

const repeated = ({ evidence, summary }: DumpRequestVerdict): DumpRequestVerdict => ({
  evidence,
  summary: `${summary}; it was reported before, and has moved on since`,
});

/** Nothing may be sent now: the next token brings them up again. */
function hold(held: readonly { readonly watched: Watched }[], nowMs: number): void {
  for (const { watched } of held) watched.heldUntilMs = nowMs + REFILL_MS;
}

import type { Dump } from '@hangwatch/protocol';
import {
  CAPTURES_PER_SECOND,
  HEADER_CELLS,
  kBeat,
  kCaptureBudget,
  kClockMs,
  kInFlight,
  kParked,
  kRecordKept,
  kUnseenEnds,
} from '../shared/slot-layout.ts';
import type { CutOff, PostedNow, ToMain, ToWatchdog, WatchdogSettings } from '../shared/worker-protocol.ts';
import type { BlockProbe } from './blocked-loop/block-probe.ts';
import { BlockReports } from './blocked-loop/block-reports.ts';
import { BlockedLoop } from './blocked-loop/blocked-loop.ts';
import { SlowPlaces } from './diagnosis/slow-places.ts';
import { Inquiries } from './inquiries.ts';
import { Investigator } from './investigator.ts';
import { DumpBase } from './reports/dump-base.ts';
import { type KeepRecord, LastRecord } from './reports/last-record.ts';
import { Outbox } from './reports/outbox.ts';
import { Reports } from './reports/reports.ts';
import type { SourceMapper } from './source-maps/source-mapper.ts';
import { AwakeClock } from './table/awake-clock.ts';
import { ClockPauses } from './table/clock-pauses.ts';
import { MainThread } from './table/main-thread.ts';
import { RecentPast } from './table/recent-past.ts';
import { RecorderReader } from './table/recorder-reader.ts';
import { Scanner } from './table/scanner.ts';
import { TableReader } from './table/table-reader.ts';

/** Share of the main thread's time that samples and looks may take. */
const MAIN_THREAD_SHARE = 0.01;
/** Scans with nothing in flight after which the watchdog sleeps until it is woken. */
const IDLE_SCANS = 5;
/** Of the time that a process that ends leaves for its report: for the sources. The rest is for the report's way. */
const SOURCES_SHARE = 0.4;

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
  readonly #inquiries: Inquiries;
  readonly #outbox: Outbox;
  readonly #reports: Reports;
  readonly #blockedLoop: BlockedLoop;
  readonly #lastRecord: LastRecord;
  readonly #places: SlowPlaces;
  #timer: NodeJS.Timeout | undefined;
  #idleScans = 0;
  #lastScanMs: number;
  #stopped = false;

  constructor(parts: WatchLoopParts) {
    const { settings, monotonicMs, post, sources } = parts;
    this.#parts = parts;
    this.#header = new Uint32Array(settings.header, 0, HEADER_CELLS);
    this.#captureBudget = new Int32Array(settings.header, kCaptureBudget * 4, 1);
    this.#lastScanMs = monotonicMs();
    // Ages go on from where an earlier watchdog of this process left off.
    this.#clock = new AwakeClock(settings.scanIntervalMs, this.#lastScanMs, Atomics.load(this.#header, kClockMs));
    this.#main = new MainThread(post, settings.evidenceWaitMs, () => Atomics.load(this.#header, kBeat));
    this.#places = new SlowPlaces(this.#main);
    const [table, texts] = [this.#table, this.#texts];
    const nowMs = () => this.#clock.nowMs;
    const inFlight = (thenMs = nowMs()) => this.#scanner.inFlight(nowMs(), thenMs);
    const recorder = new RecorderReader(settings.recorder);
    const base = new DumpBase(settings, texts, new RecentPast(recorder, texts, this.#pauses, settings.scanIntervalMs));
    const outbox = new Outbox(parts.deliver, nowMs);
    this.#outbox = outbox;
    this.#lastRecord = new LastRecord(base, (dump) => this.#keepRecord(dump), settings.scanIntervalMs);
    const outdated = () => this.#lastRecord.outdated();
    this.#reports = new Reports({ ...parts, base, outbox, table, nowMs, inFlight, outdated });
    const investigator = new Investigator({
      settings,
      table,
      texts,
      nowMs,
      sources,
      outbox,
      main: this.#main,
      places: this.#places,
      reports: this.#reports,
      explainsSilence: () => this.#blockedLoop.explainsSilence,
      inFlight,
    });
    this.#inquiries = new Inquiries({ ...parts, investigator, reports: this.#reports, nowMs, inFlight });
    const blocks = new BlockReports({ base, outbox, texts, nowMs, inFlight });
    this.#blockedLoop = new BlockedLoop({
      ...parts.blockProbe,
      header: this.#header,
      thresholdMs: settings.blockedLoopMs,
      pauses: settings.pauses,
      cwd: settings.cwd,
      monotonicMs,
      post,
      noticed: () => blocks.noticed(),
      report: (found) => blocks.report(found),
      ended: (block, follows) => blocks.ended(block, follows),
    });
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
        this.#cutOff(message);
        return;
      case 'dump':
        this.#inquiries.snapshot(message.id);
        return;
      case 'closing':
        this.#inquiries.closing(message);
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
    void this.#blockedLoop.stop();
    this.#main.giveUp();
    // There is no time for it any more.
    this.#parts.sources.close();
    await this.#inquiries.done();
    this.#reports.ended();
    this.#scanner.giveUp();
    this.#tellSuppressed(true);
    this.#lastRecord.clear();
    this.#tellKept(false);
  }

  /** The process ends: that is reported, with what the main thread has left to say, and nothing is scanned any more. */
  async crash({ crash, evidence, deadlineMs }: Extract<ToWatchdog, { type: 'crash' }>): Promise<void> {
    void this.endQuietly();
    const nowMs = this.#clock.advance(this.#parts.monotonicMs());
    this.#reports.ended();
    const inFlight = this.#scanner.inFlight(nowMs);
    this.#countUntold();
    const follows = this.#reports.lastDump(inFlight);
    const { value, note } = await this.#parts.sources.map({ crash, evidence }, deadlineMs * SOURCES_SHARE);
    this.#outbox.send(this.#lastRecord.end({ ...value, inFlight, follows, note, nowMs }));
  }

  /** The process ends: nothing is scanned any more. Resolves when no inspector session is open. */
  endQuietly(): Promise<void> {
    this.#stopped = true;
    clearTimeout(this.#timer);
    return this.#blockedLoop.stop();
  }

  #keepRecord(dump: Dump | undefined): void {
    if (this.#parts.settings.keepsRecord) this.#parts.keepRecord(dump);
  }

  #tellKept(kept: boolean): void {
    if (this.#parts.settings.keepsRecord) Atomics.store(this.#header, kRecordKept, kept ? 1 : 0);
  }

  /** One scan. Public for tests: in the thread, the timer calls it. */
  scan(): void {
    const { settings, monotonicMs, post } = this.#parts;
    const monotonic = monotonicMs();
    // A breakpoint is not a hang, neither while it lasts nor afterwards.
    if (this.#blockedLoop.standsOff) this.#clock.resume(monotonic);
    const nowMs = this.#clock.advance(monotonic);
    Atomics.store(this.#header, kClockMs, Math.round(nowMs) >>> 0);
    this.#pauses.advance(nowMs, monotonic);
    this.#refill(monotonic - this.#lastScanMs);
    this.#lastScanMs = monotonic;
    this.#reports.ended();
    this.#tellSuppressed(false);
    // Before the table is read: whoever sees 0 has ended its requests before, and they are in no record. Whoever exits meanwhile waits for us.
    this.#tellKept(true);
    const scan = this.#scanner.scan(nowMs);
    this.#lastRecord.update(scan.inFlight, this.#reports.lastDump(scan.inFlight), nowMs, monotonic);
    // After it has been asked to be forgotten: that is done even if the process ends now.
    this.#tellKept(this.#lastRecord.isKept);
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
    const ask = !this.#inquiries.busy && !this.#blockedLoop.explainsSilence;
    if (scan.suspects.length > 0 && ask) this.#inquiries.suspects(scan.suspects, nowMs);
    const untilDueMs = Math.ceil(Math.min(scan.nextDueMs - nowMs, this.#lastRecord.dueInMs(monotonic)));
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
    this.#tellSuppressed(true);
    void this.#blockedLoop.stop();
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

  /** @param overdue nothing may be said for long from now on */
  #tellSuppressed(overdue: boolean): void {
    this.#countUntold();
    this.#reports.suppressed(overdue);
  }

  #countUntold(): void {
    this.#outbox.suppress(this.#scanner.takeUntold() + Atomics.exchange(this.#header, kUnseenEnds, 0));
  }

  #cutOff(message: CutOff): void {
    // It is told of in this way, or counted there.
    const watched = this.#scanner.get(message.evidence.slot, message.evidence.generation);
    if (watched !== undefined) watched.heldUntilMs = 0;
    this.#inquiries.cutOff(message);
  }

  #left(message: Extract<ToWatchdog, { type: 'left' }>): void {
    if (this.#reports.left(message) && this.#timer !== undefined)
      this.#schedule(Math.min(50, this.#parts.settings.scanIntervalMs));
  }
}

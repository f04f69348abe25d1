import { isMainThread } from 'node:worker_threads';
import { AwaitTracker } from '@hangwatch/async-hooks-helpers';
import type { Dump } from '@hangwatch/protocol';
import { HangwatchError, type HangwatchErrorCode } from '../errors.ts';
import { messageOf } from '../message-of.ts';
import {
  clockSince,
  kBeganAtEntry,
  kCheckpoint,
  kCheckpointMs,
  kEntered,
  kFlags,
  kGeneration,
  kInFlight,
  kMaxDurationMs,
  kMethod,
  kOutbound,
  kParked,
  kProgress,
  kRequest,
  kRoute,
  kSequence,
  kStartMs,
  kTimeoutMs,
} from '../shared/slot-layout.ts';
import type { SlotRef, StuckNotice } from '../shared/worker-protocol.ts';
import { actOnStuck } from './act-on-stuck.ts';
import { EvidenceDesk } from './evidence/evidence-desk.ts';
import { LastLook } from './evidence/last-look.ts';
import { offerPausedEvidence, withdrawPausedEvidence } from './evidence/paused-evidence.ts';
import { Snapshots } from './evidence/snapshots.ts';
import type { ResolvedOptions } from './options/resolve-options.ts';
import { type RuleChange, Rules } from './options/rules.ts';
import { type AnyFunction, Site, type SitePlace } from './places/site.ts';
import { DumpSignal } from './process/dump-signal.ts';
import { ExitWatch } from './process/exit-watch.ts';
import { ProblemReporter } from './process/problem-reporter.ts';
import { WatchdogThread } from './process/watchdog-thread.ts';
import { PromiseRoutes } from './promise-routes.ts';
import { type RecordOwner, RequestRecord } from './request-record.ts';
import { ResourceHook } from './resources/resource-hook.ts';
import { SelfTest, type SelfTestPassed } from './self-test/self-test.ts';
import type { Subject } from './subject.ts';
import { FlightRecorder } from './table/flight-recorder.ts';
import { InFlightTable, type Slot } from './table/in-flight-table.ts';
import { StringTable } from './table/string-table.ts';
import { type FoundWaits, OutboundSources } from './waits/outbound-sources.ts';

/** The main thread's half of hangwatch: one for the process, however many applications register. */
export class Tracker implements RecordOwner {
  readonly clock: Uint32Array;
  readonly running: Uint32Array;
  readonly problems: ProblemReporter;
  readonly table: InFlightTable;
  readonly recorder: FlightRecorder;
  /** The request in each slot, by slot number. */
  readonly records: (RequestRecord | undefined)[] = [];
  /** Those of each registration. */
  readonly rules = new Set<Rules>();
  /** Those of tasks: as the first registration has them, but for what only a request has. */
  readonly taskRules: Rules;
  readonly #strings: StringTable;
  readonly #sites = new Map<string, Site>();
  readonly #awaits: AwaitTracker;
  readonly #outbound: OutboundSources;
  readonly #resources = new ResourceHook(() => this.current());
  readonly #promiseRoutes = new PromiseRoutes();
  readonly #thread: WatchdogThread;
  readonly #lastLook: LastLook;
  readonly #snapshots: Snapshots;
  readonly #signal: DumpSignal | undefined;
  readonly #entered: Site;
  readonly #exit: ExitWatch | undefined;
  readonly #selfTest: SelfTest;
  readonly #said = new Set<string>();
  #nextId = 1;
  #stopped = false;
  #tracks = true;
  #tableFull = false;

  constructor(options: ResolvedOptions) {
    this.problems = new ProblemReporter(options.onInternalError);
    this.table = new InFlightTable((index, buffer) => this.#thread.post({ type: 'segment', index, buffer }));
    this.#strings = new StringTable((id, text) => this.#thread.post({ type: 'intern', id, text }));
    this.clock = this.table.clock;
    this.recorder = new FlightRecorder(this.clock);
    this.running = this.table.running;
    this.#awaits = AwaitTracker.install({
      clock: this.clock,
      captureBudget: this.table.captureBudget,
      running: this.table.running,
    });
    const { support } = this.#awaits;
    if (!support.hooks || !support.stacks) this.problem('HANGWATCH_ERR_STACKS_UNAVAILABLE', support.reasons.join('; '));
    this.#outbound = new OutboundSources(() => this.current(), storeKeyOf(this.#awaits.storage));
    const desk = new EvidenceDesk(this, (message) => this.#thread.post(message));
    this.#snapshots = new Snapshots((message) => this.#thread.post(message));
    this.#thread = new WatchdogThread({
      options,
      table: this.table,
      recorder: this.recorder,
      strings: this.#strings,
      desk,
      problems: this.problems,
      snapshots: this.#snapshots,
      onStuck: (notice) => this.#act(notice),
      onStaged: (message) => this.#selfTest.receive(message),
      onFailed: () => this.#endTracking(),
    });
    this.#selfTest = new SelfTest(this, options, () => this.#thread.state);
    this.#lastLook = new LastLook(this, (message) => this.#thread.post(message));
    this.#entered = this.site('request entered');
    this.taskRules = new Rules({ ...options, ignore: [], routeName: undefined, respondStatus: 0 });
    this.rules.add(this.taskRules);
    const { exitDelayMs, errorMessages } = options;
    // A thread of the application ends without the process.
    if (exitDelayMs > 0 && isMainThread) {
      this.#exit = new ExitWatch(
        this.records,
        errorMessages,
        (crash) => this.#thread.crash(crash, exitDelayMs),
        () => this.#thread.endQuietly(exitDelayMs),
      );
    }
    this.#signal = options.signal === undefined ? undefined : new DumpSignal(options.signal, () => this.snapshot());
    if (options.blockedLoopMs > 0 && options.blockedLoopStack) offerPausedEvidence(this);
  }

  /**
   * Registers a request or a task. `undefined` when it cannot be tracked: that is counted, and the request runs as if hangwatch were not there.
   */
  enter(subject: Subject, rules: Rules): RequestRecord | undefined {
    if (!this.#tracks) return undefined;
    this.#thread.start();
    // Just now it may have turned out that there is no watchdog to be had.
    if (!this.#tracks) return undefined;
    const slot = this.table.acquire();
    if (slot === undefined) {
      if (!this.#tableFull)
        this.problem('HANGWATCH_ERR_TABLE_FULL', 'the table of requests is full: further ones are not watched');
      this.#tableFull = true;
      return undefined;
    }
    let record: RequestRecord;
    try {
      record = this.#register(slot, subject, rules);
    } catch (error) {
      this.table.giveBack(slot);
      throw error;
    }
    this.records[slot.index] = record;
    this.table.publish(slot);
    const { header } = this.table;
    header[kEntered] = (header[kEntered] as number) + 1;
    Atomics.add(header, kInFlight, 1);
    // After the count has grown: the watchdog sets PARKED and then reads the count again, so one of the two sees the other.
    if (Atomics.load(header, kParked) !== 0) this.#wake();
    return record;
  }

  #register(slot: Slot, subject: Subject, rules: Rules): RequestRecord {
    const { cells, base } = slot;
    const nowMs = this.clock[0] as number;
    const id = this.#nextId++;
    const record = new RequestRecord(id, this, slot, subject, rules);
    try {
      record.site = this.#entered;
      record.trail.pass(this.#entered, nowMs);
      cells[base + kSequence] = 0;
      cells[base + kProgress] = 0;
      cells[base + kOutbound] = 0;
      cells[base + kRequest] = id;
      cells[base + kMethod] = this.#strings.intern(subject.method);
      cells[base + kRoute] = 0;
      cells[base + kCheckpoint] = this.#entered.id;
      cells[base + kCheckpointMs] = nowMs;
      cells[base + kStartMs] = nowMs;
      cells[base + kTimeoutMs] = rules.timeoutMs;
      cells[base + kMaxDurationMs] = rules.maxDurationMs;
      cells[base + kFlags] = 0;
      if (rules.isSpecial) record.applyRules();
      cells[base + kBeganAtEntry] = this.recorder.written;
      subject.entered(record);
      if (this.notesPromises(record)) record.captureCreations();
      return record;
    } catch (error) {
      record.clear();
      throw error;
    }
  }

  /** Whatever fails, the request leaves. */
  #lookOnce(record: RequestRecord, finished: boolean): void {
    try {
      this.#lastLook.take(record, finished);
    } catch (error) {
      this.problem('HANGWATCH_ERR_INTERNAL', `a last look failed: ${messageOf(error)}`, error);
    }
  }

  /** See {@link RequestRecord.leave}. */
  leave(record: RequestRecord, finished: boolean): void {
    const { slot } = record;
    if (slot === undefined) return;
    this.#lookOnce(record, finished);
    this.#tell(record, slot, finished);
    this.#free(record, slot);
  }

  /** How the request ended. */
  #tell(record: RequestRecord, slot: Slot, finished: boolean): void {
    if (record.reported) {
      const elapsedMs = clockSince(this.clock[0] as number, slot.cells[slot.base + kStartMs] as number);
      this.#thread.post({
        type: 'left',
        slot: slot.index,
        generation: slot.cells[slot.base + kGeneration] as number,
        finished,
        answeredStatus: record.answeredStatus,
        elapsedMs,
      });
    }
    this.#record(record.id, slot, finished);
  }

  #free(record: RequestRecord, slot: Slot): void {
    this.records[slot.index] = undefined;
    // First the record stops writing to the slot, then the slot is free for the next request.
    record.clear();
    this.table.release(slot);
    Atomics.sub(this.table.header, kInFlight, 1);
  }

  /** Changes the rules of one registration or of all, and those of the requests in flight with them. */
  configure(change: RuleChange, only?: Rules): void {
    const changed = only === undefined ? this.rules : new Set([only]);
    for (const rules of changed) rules.change(change);
    for (const record of this.records) {
      if (record === undefined || !changed.has(record.rules)) continue;
      record.applyRules();
      this.#applyIgnore(record);
    }
  }

  /** A request that would not have been entered any more is shown as in flight, and never as stuck. */
  #applyIgnore(record: RequestRecord): void {
    try {
      if (record.subject?.isIgnoredBy(record.rules) === true) record.unwatch();
    } catch (error) {
      this.problem('HANGWATCH_ERR_CALLBACK', `ignore threw: ${messageOf(error)}`, error);
    }
  }

  outboundEnded(request: number, type: string, sinceMs: number): void {
    this.recorder.outboundEnded(request, this.#strings.intern(type), sinceMs);
  }

  #record(id: number, { cells, base }: Slot, finished: boolean): void {
    const method = cells[base + kMethod] as number;
    const route = cells[base + kRoute] as number;
    const startMs = cells[base + kStartMs] as number;
    this.recorder.requestEnded(id, method, route, startMs, cells[base + kBeganAtEntry] as number, finished);
  }

  /** Runs `fn` in the request's context. */
  run<A extends unknown[], R>(record: RequestRecord, fn: (...args: A) => R, ...args: A): R {
    return this.#awaits.run(record, fn, ...args);
  }

  /** The request whose context this code runs in. */
  current(): RequestRecord | undefined {
    const context = this.#awaits.current();
    return context instanceof RequestRecord && context.slot !== undefined ? context : undefined;
  }

  /** The request in a slot, if it is still the one that is meant. */
  find({ slot, generation }: SlotRef): RequestRecord | undefined {
    const record = this.records[slot];
    return record?.slot !== undefined && record.cells[record.base + kGeneration] === generation ? record : undefined;
  }

  /** Outbound work that nobody told of: to be looked for once for a dump. */
  findOutbound(): FoundWaits {
    try {
      return this.#outbound.find();
    } catch (error) {
      this.problem('HANGWATCH_ERR_INTERNAL', `outbound work could not be looked for: ${messageOf(error)}`, error);
      return new Map();
    }
  }

  noteResources(begins: boolean): void {
    if (begins) this.#resources.arm();
    else this.#resources.disarm();
  }

  notesPromises(record: RequestRecord): boolean {
    return this.#promiseRoutes.has(record);
  }

  /** From now on requests of this route note where they make their promises: one of them waits where V8 shows nothing. */
  notePromises(record: RequestRecord): void {
    this.#promiseRoutes.add(record);
  }

  routeId(pattern: string): number {
    return this.#strings.intern(pattern);
  }

  /** A place that requests pass. Sites with a function are the caller's to keep; those with a label alone are made once. */
  site(label: string, where?: AnyFunction | SitePlace): Site {
    if (where !== undefined) return new Site(label, this.#strings.intern(label), where);
    let site = this.#sites.get(label);
    if (site === undefined) {
      site = new Site(label, this.#strings.intern(label));
      this.#sites.set(label, site);
    }
    return site;
  }

  /** See {@link SelfTest.run}. */
  selfTest(limitMs: number): Promise<SelfTestPassed> {
    return this.#selfTest.run(limitMs);
  }

  problem(code: HangwatchErrorCode, message: string, cause?: unknown): void {
    this.problems.report(new HangwatchError(code, message, { cause }));
  }

  /** A problem that would be the same again: said once, also to `onInternalError`. */
  problemOnce(code: HangwatchErrorCode, message: string): void {
    if (this.#said.has(message)) return;
    this.#said.add(message);
    this.problem(code, message);
  }

  /** A dump of everything in flight. Never rejects. */
  async snapshot(): Promise<Dump | undefined> {
    if (this.#stopped) return undefined;
    this.#thread.start();
    return this.#snapshots.ask();
  }

  /** Ends tracking: requests in flight become untracked, the watchdog delivers what it has and ends. Idempotent. */
  async stop(deadlineMs: number): Promise<void> {
    if (this.#stopped) return;
    this.#stopped = true;
    this.#signal?.stop();
    this.#endTracking();
    await this.#thread.stop(deadlineMs);
  }

  /**
   * From now on no request is tracked. Also where the watchdog has failed for good: nobody would ever ask for what is noted, and it would add up.
   * The signal stays listened to until `stop`, since its own effect may be to end the process.
   */
  #endTracking(): void {
    if (!this.#tracks) return;
    this.#tracks = false;
    this.#exit?.stop();
    for (const record of [...this.records]) {
      if (record?.slot === undefined) continue;
      const { subject, slot } = record;
      const finished = subject?.howEnded();
      // Whoever still has a client may be answered yet: of those nothing is known.
      if (finished !== undefined) this.#tell(record, slot, finished);
      this.#free(record, slot);
    }
    this.#outbound.stop();
    this.#awaits.uninstall();
    this.#resources.stop();
    withdrawPausedEvidence();
  }

  #act(notice: StuckNotice): void {
    const record = this.find(notice);
    if (record !== undefined) actOnStuck(this, record, notice);
  }

  #wake(): void {
    if (Atomics.exchange(this.table.header, kParked, 0) !== 0) this.#thread.post({ type: 'wake' });
  }
}

/** On Node 20 and 22 a storage keeps the context on each resource, under a symbol of its own. */
function storeKeyOf(storage: object): symbol | undefined {
  const key: unknown = Reflect.get(storage, 'kResourceStore');
  return typeof key === 'symbol' ? key : undefined;
}

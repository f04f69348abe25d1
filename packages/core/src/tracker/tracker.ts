import { isMainThread } from 'node:worker_threads';
import { AwaitTracker, learnImports } from '@hangwatch/async-hooks-helpers';
import type { Dump } from '@hangwatch/protocol';
import { HangwatchError, type HangwatchErrorCode } from '../errors.ts';
import { messageOf } from '../message-of.ts';
import { recorderEntries } from '../shared/recorder-layout.ts';
import { kParked } from '../shared/slot-layout.ts';
import type { Closing, SlotRef, StuckNotice } from '../shared/worker-protocol.ts';
import { actOnStuck } from './act-on-stuck.ts';
import { EvidenceDesk } from './evidence/evidence-desk.ts';
import { LastLook } from './evidence/last-look.ts';
import { offerPausedEvidence, withdrawPausedEvidence } from './evidence/paused-evidence.ts';
import { Snapshots } from './evidence/snapshots.ts';
import { TimeoutOrder } from './http/timeout-order.ts';
import type { ResolvedOptions } from './options/resolve-options.ts';
import { type RuleChange, Rules } from './options/rules.ts';
import { type AnyFunction, Site, type SitePlace } from './places/site.ts';
import { DumpSignal } from './process/dump-signal.ts';
import { ExitWatch } from './process/exit-watch.ts';
import { ProblemReporter } from './process/problem-reporter.ts';
import { tellCrash } from './process/tell-crash.ts';
import { WatchdogThread } from './process/watchdog-thread.ts';
import { PromiseRoutes } from './promise-routes.ts';
import { type RecordOwner, RequestRecord } from './request-record.ts';
import { RequestsInFlight } from './requests-in-flight.ts';
import { ResourceHook } from './resources/resource-hook.ts';
import { SelfTest, type SelfTestPassed } from './self-test/self-test.ts';
import type { Subject } from './subject.ts';
import { FlightRecorder } from './table/flight-recorder.ts';
import { InFlightTable } from './table/in-flight-table.ts';
import { StringTable } from './table/string-table.ts';
import { type FoundWaits, OutboundSources } from './waits/outbound-sources.ts';

/** The main thread's half of hangwatch: one for the process, however many applications register. */
export class Tracker implements RecordOwner {
  readonly clock: Uint32Array;
  readonly running: Uint32Array;
  readonly captureBudget: Int32Array;
  readonly seesAwaits: boolean;
  readonly problems: ProblemReporter;
  readonly timeouts = new TimeoutOrder((message) => this.problem('HANGWATCH_ERR_TIMEOUT_ORDER', message));
  readonly table: InFlightTable;
  readonly recorder: FlightRecorder;
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
  readonly #requests: RequestsInFlight;
  readonly #snapshots: Snapshots;
  readonly #signal: DumpSignal | undefined;
  readonly #exit: ExitWatch | undefined;
  readonly #selfTest: SelfTest;
  readonly #said = new Set<string>();
  #stopped = false;
  #tracks = true;

  constructor(options: ResolvedOptions) {
    this.problems = new ProblemReporter(options.onInternalError);
    this.table = new InFlightTable((index, buffer) => this.#thread.post({ type: 'segment', index, buffer }));
    this.#strings = new StringTable((id, text) => this.#thread.post({ type: 'intern', id, text }));
    this.clock = this.table.clock;
    this.recorder = new FlightRecorder(this.clock, recorderEntries(options.timeoutMs, options.recorderEntries));
    this.running = this.table.running;
    this.captureBudget = this.table.captureBudget;
    this.#awaits = AwaitTracker.install({
      clock: this.clock,
      captureBudget: this.table.captureBudget,
      running: this.table.running,
    });
    const { support } = this.#awaits;
    const noAwaitStacks = support.hooks && support.stacks ? undefined : support.reasons.join('; ');
    // Also where there are stacks, which end early: at promises that are not V8's.
    if (support.reasons.length > 0) this.problem('HANGWATCH_ERR_STACKS_UNAVAILABLE', support.reasons.join('; '));
    this.seesAwaits = support.hooks;
    // Not in the way of whoever starts the application, and long before anything hangs.
    setImmediate(() => void learnImports(this.#awaits)).unref();
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
      noAwaitStacks,
      snapshots: this.#snapshots,
      onStuck: (notice) => this.#act(notice),
      onStaged: (message) => this.#selfTest.receive(message),
      onFailed: () => this.#endTracking(),
    });
    this.#selfTest = new SelfTest(this, options, () => this.#thread.state);
    this.#requests = new RequestsInFlight({
      tracker: this,
      strings: this.#strings,
      entered: this.site('request entered'),
      lastLook: new LastLook(this, options.scanIntervalMs, (message) => this.#thread.post(message)),
      post: (message) => this.#thread.post(message),
    });
    this.taskRules = new Rules({ ...options, ignore: [], routeName: undefined, respondStatus: 0 });
    this.rules.add(this.taskRules);
    const { exitDelayMs, errorMessages } = options;
    // A thread of the application ends without the process.
    if (exitDelayMs > 0 && isMainThread) {
      this.#exit = new ExitWatch({
        records: this.records,
        errorMessages,
        current: () => this.current(),
        report: (crash) => tellCrash(crash, this.records, this.#thread, exitDelayMs),
        endQuietly: () => this.#thread.endQuietly(exitDelayMs),
      });
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
    const record = this.#requests.enter(subject, rules);
    // After the count has grown: the watchdog sets PARKED and then reads the count again, so one of the two sees the other.
    if (record !== undefined && Atomics.load(this.table.header, kParked) !== 0) this.#wake();
    return record;
  }

  /** The request in each slot, by slot number. */
  get records(): readonly (RequestRecord | undefined)[] {
    return this.#requests.records;
  }

  /** See {@link RequestRecord.leave}. */
  leave(record: RequestRecord, finished: boolean): void {
    this.#requests.leave(record, finished);
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

  /** Runs `fn` in the request's context. */
  run<A extends unknown[], R>(record: RequestRecord, fn: (...args: A) => R, ...args: A): R {
    return this.#awaits.run(record, fn, ...args);
  }

  /** Runs `fn` in no request's context. */
  runOutside<A extends unknown[], R>(fn: (...args: A) => R, ...args: A): R {
    return this.#awaits.runOutside(fn, ...args);
  }

  /** The request whose context this code runs in. */
  current(): RequestRecord | undefined {
    const context = this.#awaits.current();
    return context instanceof RequestRecord && context.slot !== undefined ? context : undefined;
  }

  /** The request in a slot, if it is still the one that is meant. */
  find(ref: SlotRef): RequestRecord | undefined {
    return this.#requests.find(ref);
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

  /** See {@link ResourceHook.follow}. */
  followResources(): void {
    if (this.#tracks && !this.#resources.follows) this.#resources.follow();
  }

  get followsResources(): boolean {
    return this.#resources.follows;
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

  /** An application takes too long to close: what holds it is reported. */
  reportClosing(closing: Closing): void {
    if (this.#stopped) return;
    this.#thread.start();
    this.#thread.post({ type: 'closing', ...closing });
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
    this.#requests.forgetAll();
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

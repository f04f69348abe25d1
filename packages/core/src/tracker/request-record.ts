import type { HangwatchError } from '../errors.ts';
import {
  FLAG_NOTIFY,
  FLAG_REPORTED,
  FLAG_STAGED,
  FLAG_UNWATCHED,
  kCheckpoint,
  kCheckpointMs,
  kFlags,
  kMaxDurationMs,
  kOutbound,
  kProgress,
  kRoute,
  kSequence,
  kTimeoutMs,
  SLOT_CELLS,
} from '../shared/slot-layout.ts';
import { type ClaimRecord, endClaimsOf } from './claims/claim-record.ts';
import type { WatchedPromises } from './evidence/watched-promises.ts';
import { type Level, mergeOverrides, type RouteOverride } from './options/route-override.ts';
import type { Rules } from './options/rules.ts';
import { type LayerKind, LayerTrace } from './places/layer-trace.ts';
import type { AnyFunction, Site } from './places/site.ts';
import { Trail } from './places/trail.ts';
import { RequestResources } from './resources/request-resources.ts';
import type { Subject } from './subject.ts';
import type { Slot } from './table/in-flight-table.ts';
import { OutboundWait } from './waits/outbound-wait.ts';

/** Where a record writes once its request is over: work that outlives the request must move nobody's numbers. */
const SINK = new Uint32Array(SLOT_CELLS);
const SINK_TRAIL = new Trail();

/** What a record needs from the tracker that made it. */
export interface RecordOwner {
  readonly clock: Uint32Array;
  /** `running[0]` is the number of the request whose code began or went on last. */
  readonly running: Uint32Array;
  /** `captureBudget[0]` is how many stacks may still be captured. */
  readonly captureBudget: Int32Array;
  /** Whether awaits are noted: there are runtimes without promise hooks. */
  readonly seesAwaits: boolean;
  /** Whether the resources of all requests are noted: for proofs. */
  readonly followsResources: boolean;
  routeId(pattern: string): number;
  site(label: string, where?: AnyFunction): Site;
  run<A extends unknown[], R>(record: RequestRecord, fn: (...args: A) => R, ...args: A): R;
  current(): RequestRecord | undefined;
  leave(record: RequestRecord, finished: boolean): void;
  /** An outbound call is over that began at `sinceMs` of the shared clock: for the flight recorder. */
  outboundEnded(request: number, type: string, sinceMs: number): void;
  /** One more request has its resources noted, or one less. */
  noteResources(begins: boolean): void;
  /** Whether requests of this route note where they make their promises. */
  notesPromises(record: RequestRecord): boolean;
}

/**
 * One request, or task, in flight: the object that travels in AsyncLocalStorage. Adapters hold it by closure as well, since contexts
 * get lost in connection pools and event emitters.
 */
export class RequestRecord extends LayerTrace {
  readonly id: number;
  readonly owner: RecordOwner;
  slot: Slot | undefined;
  base: number;
  /** What it is of, until that is over. */
  subject: Subject | undefined;
  /** The route's pattern, once an adapter knows it. */
  route: string | undefined = undefined;
  site: Site | undefined = undefined;
  /** The last places it has passed. */
  trail: Trail;
  /** Those of the registration that it entered through. */
  readonly rules: Rules;
  /** What `watch(promise, label)` was given. */
  watched: WatchedPromises | undefined = undefined;
  /** The newest outbound work begun in the request's context and not over: the head of a list. */
  outbound: OutboundWait | undefined = undefined;
  /** The newest of its claims on locks, pools and queues: the head of a list. */
  claims: ClaimRecord | undefined = undefined;
  sampled = false;
  /** It is an event stream, or an upgraded connection. */
  openEnded = false;
  /** What it has made, at the level `resources` and once anything can be claimed. */
  resources: RequestResources | undefined = undefined;
  /** All that it has made was noted, from its beginning. */
  readonly isFollowed: boolean;
  /** What to answer with in its place when it is stuck; 0: nothing. */
  respondStatus = 0;
  /** Whether its signal is aborted when it is stuck. */
  abortsWhenStuck = false;
  /** What has been answered in its place. */
  answeredStatus: number | undefined = undefined;
  /** What the code of its route has said. */
  #ofCode: RouteOverride | undefined = undefined;
  #controller: AbortController | undefined = undefined;
  #aborted: HangwatchError | undefined = undefined;
  /** How many times the framework itself waits for the response's end by on-finished. */
  endListeners = 0;
  /** What the framework's adapter remembers of this request; forgotten when the request is over. */
  adapterState: unknown = undefined;

  constructor(id: number, owner: RecordOwner, slot: Slot, subject: Subject, rules: Rules) {
    super(slot.cells, slot.base + kSequence, owner.clock, id);
    this.id = id;
    this.owner = owner;
    this.slot = slot;
    this.base = slot.base;
    this.trail = slot.trail ??= new Trail();
    this.subject = subject;
    this.rules = rules;
    this.isFollowed = owner.followsResources;
  }

  /** The request has reached a layer or a checkpoint: it advances, and this is where it is. */
  enterSite(site: Site): void {
    const { cells, base } = this;
    const nowMs = this.owner.clock[0] as number;
    cells[base + kCheckpoint] = site.id;
    cells[base + kCheckpointMs] = nowMs;
    cells[base + kProgress] = ((cells[base + kProgress] as number) + 1) | 0;
    this.site = site;
    this.trail.pass(site, nowMs);
  }

  /**
   * Calls a layer of the framework: the request is at `site`, and runs in its own context again where that got lost on the way.
   *
   * @param kind who looks at what the layer returned
   * @returns what `fn` returned, or, where the layer is `awaited`, a promise in the place of its own
   */
  callLayer<T, A extends unknown[], R>(
    site: Site,
    fn: (this: T, ...args: A) => R,
    thisValue: T,
    args: A,
    kind: LayerKind,
  ): R {
    const { slot, owner } = this;
    if (slot === undefined) return Reflect.apply(fn, thisValue, args);
    if (owner.current() === this) return this.#callHere(site, fn, thisValue, args, kind);
    return owner.run(this, () => this.#callHere(site, fn, thisValue, args, kind));
  }

  #callHere<T, A extends unknown[], R>(
    site: Site,
    fn: (this: T, ...args: A) => R,
    thisValue: T,
    args: A,
    kind: LayerKind,
  ): R {
    this.enterSite(site);
    this.owner.running[0] = this.id;
    const entry = this.enterLayer(site);
    let result: R;
    let threw = true;
    // Not `catch`: an error that is thrown again shows our line as its origin when it ends the process.
    try {
      result = Reflect.apply(fn, thisValue, args);
      threw = false;
    } finally {
      if (threw) this.layerThrew(entry);
    }
    return this.leaveLayer(entry, kind, result, fn);
  }

  /** The request has reached a phase of the framework that is no function of its own, such as the parsing of its body. */
  enterPhase(site: Site): void {
    this.enterSite(site);
    this.enterPhaseAt(site);
  }

  /** The request itself advanced: bytes moved. */
  advance(): void {
    this.cells[this.base + kProgress] = ((this.cells[this.base + kProgress] as number) + 1) | 0;
  }

  /** An outbound call made in the request's context is over. */
  outboundFinished(): void {
    this.cells[this.base + kOutbound] = ((this.cells[this.base + kOutbound] as number) + 1) | 0;
  }

  /** The route's pattern, as the framework knows it: `/users/:id`. */
  setRoute(pattern: string): void {
    if (pattern === this.route || this.slot === undefined) return;
    this.route = pattern;
    this.cells[this.base + kRoute] = this.owner.routeId(pattern);
    if (this.owner.notesPromises(this)) this.captureCreations();
    if (this.rules.hasRoutes) this.applyRules();
  }

  /** What the code of its route says of this request: another timeout, or not to watch it. */
  override(override: RouteOverride): void {
    this.#ofCode = this.#ofCode === undefined ? override : mergeOverrides(this.#ofCode, override);
    this.applyRules();
  }

  /** Writes down what holds for it now: the rules of its registration, over them what its code says, over both the registration's routes. */
  applyRules(): void {
    const { rules, cells, base } = this;
    if (this.slot === undefined) return;
    const code = this.#ofCode;
    const routes = rules.hasRoutes ? rules.forRoute(this.method, this.route ?? this.subject?.path ?? '') : undefined;
    const timeoutMs = routes?.timeoutMs ?? code?.timeoutMs ?? rules.timeoutMs;
    cells[base + kTimeoutMs] = timeoutMs;
    cells[base + kMaxDurationMs] = routes?.maxDurationMs ?? code?.maxDurationMs ?? rules.maxDurationMs;
    this.#whenStuck(
      routes?.respondStatus ?? code?.respondStatus ?? rules.respondStatus,
      routes?.abort ?? code?.abort ?? rules.abort,
    );
    this.#setLevel(routes?.level ?? code?.level ?? rules.level);
    if ((routes ?? code)?.watch === false || this.openEnded) {
      this.unwatch();
      return;
    }
    Atomics.and(cells, base + kFlags, ~FLAG_UNWATCHED);
    if (timeoutMs !== rules.timeoutMs) rules.order?.uses(timeoutMs, this);
  }

  #whenStuck(respondStatus: number, abort: boolean): void {
    this.respondStatus = respondStatus;
    this.abortsWhenStuck = abort;
    if (respondStatus !== 0 || abort) Atomics.or(this.cells, this.base + kFlags, FLAG_NOTIFY);
    else Atomics.and(this.cells, this.base + kFlags, ~FLAG_NOTIFY);
  }

  /** Made for the first who asks. Once the request is over it never fires any more. */
  get signal(): AbortSignal {
    this.#controller ??= new AbortController();
    if (this.#aborted !== undefined) this.#controller.abort(this.#aborted);
    return this.#controller.signal;
  }

  /** Whether its signal, which somebody has asked for, may still fire. */
  get mayAbort(): boolean {
    return this.abortsWhenStuck && this.#controller?.signal.aborted === false;
  }

  /** Fires the signal; listeners run in the request's context. */
  abort(reason: HangwatchError): void {
    this.#aborted = reason;
    const controller = this.#controller;
    if (controller !== undefined) this.owner.run(this, () => controller.abort(reason));
  }

  #setLevel(level: Level): void {
    const withPlaces = level === 'resources';
    if (withPlaces === (this.resources?.withPlaces ?? false)) return;
    this.resources ??= new RequestResources(withPlaces);
    this.resources.withPlaces = withPlaces;
    this.owner.noteResources(withPlaces);
  }

  /** From now on the request is shown as in flight, and never as stuck. */
  unwatch(): void {
    Atomics.or(this.cells, this.base + kFlags, FLAG_UNWATCHED);
  }

  /** It has turned out to be one that is silent by nature. */
  foundOpenEnded(): void {
    this.openEnded = true;
    this.unwatch();
  }

  /** `GET`, or what else the request's line said; `TASK`. */
  get method(): string {
    return this.subject?.method ?? '';
  }

  /** From now on the request is one that a self-test has staged. */
  stage(): void {
    Atomics.or(this.cells, this.base + kFlags, FLAG_STAGED);
  }

  /** Somebody waits for its end: it is no event stream, none that rules leave alone, and nobody's self-test. */
  get isAwaited(): boolean {
    return (Atomics.load(this.cells, this.base + kFlags) & (FLAG_UNWATCHED | FLAG_STAGED)) === 0;
  }

  get reported(): boolean {
    return (Atomics.load(this.cells, this.base + kFlags) & FLAG_REPORTED) !== 0;
  }

  /**
   * The request is over. Idempotent: some servers emit `close` twice.
   *
   * @param finished the response was sent whole; otherwise the client has left
   */
  leave(finished: boolean): void {
    if (this.slot !== undefined) this.owner.leave(this, finished);
  }

  /** Points the record at the sink and forgets everything, before the slot is freed: whoever still holds it holds an empty object. */
  clear(): void {
    if (this.claims !== undefined) endClaimsOf(this);
    this.release();
    this.cells = SINK;
    this.sequenceAt = kSequence;
    this.base = 0;
    this.slot = undefined;
    this.subject = undefined;
    this.#ofCode = undefined;
    this.site = undefined;
    this.trail.clear();
    this.trail = SINK_TRAIL;
    this.forgetLayers();
    this.#setLevel('basic');
    this.resources = undefined;
    this.watched = undefined;
    if (this.outbound !== undefined) OutboundWait.release(this);
    this.adapterState = undefined;
    this.#controller = undefined;
  }
}

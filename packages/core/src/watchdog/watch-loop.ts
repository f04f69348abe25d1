import type { Dump, DumpRequest } from '@hangwatch/protocol';
import {
  CAPTURES_PER_SECOND,
  FLAG_REPORTED,
  HEADER_CELLS,
  kCaptureBudget,
  kClockMs,
  kInFlight,
  kParked,
} from '../shared/slot-layout.ts';
import type { SlotRef, ToMain, ToWatchdog, WatchdogSettings } from '../shared/worker-protocol.ts';
import { AwakeClock } from './awake-clock.ts';
import { diagnose } from './diagnose.ts';
import { DumpBuilder, type Finding } from './dump-builder.ts';
import { combineFingerprints, fingerprintOf } from './fingerprint.ts';
import { type Gathered, MainThread } from './main-thread.ts';
import { elapsedMs, type Scan, Scanner, type Suspect, type Watched } from './scanner.ts';
import { StormControl } from './storm-control.ts';
import { TableReader } from './table-reader.ts';

/** Share of the main thread's time that samples and looks may take. */
const MAIN_THREAD_SHARE = 0.01;
/** Scans with nothing in flight after which the watchdog sleeps until it is woken. */
const IDLE_SCANS = 5;
/** Looks asked for in one scan, oldest first; the rest is asked for in the next. */
const LOOKS_PER_SCAN = 64;

/** What the loop needs from outside: the thread's entry file wires it, tests bring their own. */
export interface WatchLoopParts {
  readonly settings: WatchdogSettings;
  readonly monotonicMs: () => number;
  readonly post: (message: ToMain) => void;
  readonly deliver: (dump: Dump) => void;
}

/** A request that was reported, until it ends. */
interface Reported {
  readonly request: DumpRequest;
  readonly dump: Dump;
}

/** A reported request that has ended. */
interface Ended {
  readonly kind: 'recovered' | 'gone';
  readonly elapsedMs: number;
  readonly reported: Reported;
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
  readonly #main: MainThread;
  readonly #dumps: DumpBuilder;
  readonly #storm: StormControl;
  readonly #reported = new Map<string, Reported>();
  #ended: Ended[] = [];
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
    this.#clock = new AwakeClock(settings.scanIntervalMs, this.#lastScanMs);
    this.#main = new MainThread(post, settings.evidenceWaitMs);
    this.#dumps = new DumpBuilder(settings, this.#texts);
    this.#storm = new StormControl(0);
  }

  start(): void {
    this.#schedule(this.#parts.settings.scanIntervalMs);
  }

  receive(message: Exclude<ToWatchdog, { type: 'stop' }>): void {
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
      case 'look':
      case 'evidence-part':
      case 'evidence-end':
        this.#main.receive(message);
        return;
      default:
        message satisfies never;
    }
  }

  /** Ends the scans; resolves when an investigation that is under way has been reported. */
  async stop(): Promise<void> {
    this.#stopped = true;
    clearTimeout(this.#timer);
    await this.#investigation;
    this.#reportEnded();
  }

  /** One scan. Public for tests: in the thread, the timer calls it. */
  scan(): void {
    const { settings, monotonicMs, post } = this.#parts;
    const monotonic = monotonicMs();
    const nowMs = this.#clock.advance(monotonic);
    Atomics.store(this.#header, kClockMs, Math.round(nowMs) >>> 0);
    this.#refill(monotonic - this.#lastScanMs);
    this.#lastScanMs = monotonic;
    this.#reportEnded();
    const scan = this.#scanner.scan(nowMs);
    if (this.#park(scan.inFlight.length)) return;
    if (scan.inFlight.length > 0) {
      post({
        type: 'sample',
        sentAtMs: performance.timeOrigin + performance.now(),
        budgetMs: settings.scanIntervalMs * MAIN_THREAD_SHARE,
      });
    }
    // One at a time: what is found meanwhile is found again by the scan after it.
    if (scan.suspects.length > 0 && this.#investigation === undefined) {
      this.#investigation = this.#investigate(scan, nowMs)
        .catch((error: unknown) =>
          post({ type: 'problem', code: 'HANGWATCH_ERR_INTERNAL', message: `a scan failed: ${String(error)}` }),
        )
        .finally(() => {
          this.#investigation = undefined;
        });
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
    return true;
  }

  #wake(): void {
    this.#idleScans = 0;
    const monotonic = this.#parts.monotonicMs();
    this.#clock.resume(monotonic);
    this.#lastScanMs = monotonic;
    this.#schedule(this.#parts.settings.scanIntervalMs);
  }

  #refill(sinceMs: number): void {
    const budget = Atomics.load(this.#captureBudget, 0) + (CAPTURES_PER_SECOND * sinceMs) / 1_000;
    Atomics.store(this.#captureBudget, 0, Math.min(CAPTURES_PER_SECOND, Math.round(budget)));
  }

  async #investigate(scan: Scan, nowMs: number): Promise<void> {
    const suspects = await this.#confirm(scan.suspects, nowMs);
    if (suspects.length === 0) return;
    const gathered = await this.#main.gather(suspects.map(({ watched }) => refOf(watched)));
    const thenMs = this.#clock.nowMs;
    const findings = suspects.flatMap((suspect) => this.#judge(suspect, gathered, nowMs));
    if (findings.length > 0) this.#report(findings, gathered, thenMs);
  }

  /** Looks at the requests that move, and drops those whose own chain is younger than their timeout. */
  async #confirm(suspects: readonly Suspect[], nowMs: number): Promise<readonly Suspect[]> {
    const moving = suspects.filter(({ suspicion }) => suspicion === 'moving').slice(0, LOOKS_PER_SCAN);
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
    if (this.#table.generation(slot) !== generation) return [];
    const evidence = gathered.requests.get(slot);
    const judgement = diagnose({
      suspicion,
      timeoutMs: watched.reading.timeoutMs,
      idleMs: nowMs - watched.movedAtMs,
      stalledMs: nowMs - watched.advancedAtMs,
      outboundIdleMs: nowMs - watched.outboundAtMs,
      elapsedMs: elapsedMs(watched, nowMs),
      toleranceMs: this.#parts.settings.scanIntervalMs,
      evidence: evidence?.generation === generation ? evidence : undefined,
    });
    if (!judgement.stuck) {
      watched.lookAtMs = nowMs + judgement.againInMs;
      return [];
    }
    const { verdict } = judgement;
    const method = evidence?.method ?? this.#texts.get(watched.reading.method) ?? '';
    const route = evidence?.route ?? this.#texts.get(watched.reading.route) ?? '';
    const fingerprint = fingerprintOf({ evidence: verdict.evidence, method, route, stacks: evidence?.stacks ?? [] });
    return [{ watched, verdict, fingerprint }];
  }

  #report(findings: readonly Finding[], gathered: Gathered, nowMs: number): void {
    for (const { watched } of findings) watched.settled = true;
    const fingerprint = combineFingerprints(findings.map((finding) => finding.fingerprint));
    if (!this.#storm.admit(fingerprint, findings.length, nowMs)) return;
    const inFlight = this.#scanner.scan(nowMs).inFlight;
    const dump = {
      ...this.#dumps.hang(findings, inFlight, gathered, fingerprint, nowMs),
      suppressed: this.#storm.takeSuppressed(),
    };
    findings.forEach(({ watched }, index) => {
      const request = dump.requests[index];
      if (request === undefined) return;
      this.#reported.set(keyOf(watched.slot, watched.generation), { request, dump });
      this.#table.mark(watched.slot, watched.generation, FLAG_REPORTED);
    });
    this.#parts.deliver(dump);
    if (this.#parts.settings.notifyHang) this.#parts.post({ type: 'hang', dump });
    this.#forgetLost();
  }

  #left({ slot, generation, finished, elapsedMs: elapsed }: Extract<ToWatchdog, { type: 'left' }>): void {
    const key = keyOf(slot, generation);
    const reported = this.#reported.get(key);
    if (reported === undefined) return;
    this.#reported.delete(key);
    this.#ended.push({ kind: finished ? 'recovered' : 'gone', elapsedMs: elapsed, reported });
    if (this.#timer !== undefined && this.#ended.length === 1)
      this.#schedule(Math.min(50, this.#parts.settings.scanIntervalMs));
  }

  /** One dump for all that ended in the same way after the same report. */
  #reportEnded(): void {
    if (this.#ended.length === 0) return;
    const groups = new Map<string, Ended[]>();
    for (const end of this.#ended) {
      const key = `${end.kind} ${end.reported.dump.id}`;
      groups.set(key, [...(groups.get(key) ?? []), end]);
    }
    this.#ended = [];
    for (const [first, ...rest] of groups.values()) {
      if (first === undefined) continue;
      const requests = [first, ...rest].map(
        ({ reported, elapsedMs: elapsed }): DumpRequest => ({
          ...reported.request,
          state: 'moving',
          elapsedMs: Math.max(elapsed, reported.request.elapsedMs),
          idleMs: 0,
        }),
      );
      const dump = this.#dumps.ended(first.kind, requests, first.reported.dump);
      this.#parts.deliver({ ...dump, suppressed: this.#storm.takeSuppressed() });
    }
  }

  /** A request may end between its judgement and its mark: nobody will tell of it. */
  #forgetLost(): void {
    for (const [key, { request, dump }] of this.#reported) {
      const [slot = 0, generation = 0] = key.split(':').map(Number);
      const current = this.#table.generation(slot);
      if (current !== generation && dump.requests.includes(request) && this.#reported.size > MAX_REPORTED)
        this.#reported.delete(key);
    }
  }
}

/** Reported requests remembered: more than can be in flight in any sane process. */
const MAX_REPORTED = 100_000;

const refOf = ({ slot, generation }: Watched): SlotRef => ({ slot, generation });
const keyOf = (slot: number, generation: number): string => `${slot}:${generation}`;

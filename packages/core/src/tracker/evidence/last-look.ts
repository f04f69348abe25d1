import { type AwaitStack, collectAwaitStacks } from '@hangwatch/async-hooks-helpers';
import {
  clockSince,
  kBeganAtEntry,
  kCheckpointMs,
  kMethod,
  kRoute,
  kStartMs,
  kTimeoutMs,
  kUnseenEnds,
} from '../../shared/slot-layout.ts';
import type { ToWatchdog } from '../../shared/worker-protocol.ts';
import type { RequestRecord } from '../request-record.ts';
import { ActiveResources } from '../resources/pending-resources.ts';
import type { Tracker } from '../tracker.ts';
import type { FoundWaits } from '../waits/outbound-sources.ts';
import { requestEvidence } from './request-evidence.ts';
import { handlerIdleMs, mayWaitStill } from './still-waiting.ts';

/** Awaits that are walked in one go as a connection closes: some 5 ms. With more, the report has no stacks. */
const MAX_AWAITS = 250;
/** Looks in a row, and how long until one more is due. */
const BURST = 5;
const REFILL_MS = 1_000;
/** Looking through the handles of the whole process takes too long for a connection that closes. */
const NOTHING_FOUND: FoundWaits = new Map();

/** What answers a 503 sooner is no time-out. */
const SHORTEST_TIMEOUT_MS = 500;

/**
 * A request that ends before it is reported, and that had stood still for half its timeout: where it stood is looked up before it is forgotten. If that was
 * somebody else's time-out, also sooner, it is said once. Those for which there is no time are counted.
 */
export class LastLook {
  readonly #tracker: Tracker;
  readonly #scanIntervalMs: number;
  readonly #post: (message: ToWatchdog) => void;
  #left = BURST;
  #refilledMs = 0;

  constructor(tracker: Tracker, scanIntervalMs: number, post: (message: ToWatchdog) => void) {
    this.#tracker = tracker;
    this.#scanIntervalMs = scanIntervalMs;
    this.#post = post;
  }

  /** Called as the request ends, while its record is still whole. Most requests are gone after the first comparison. */
  take(record: RequestRecord, finished: boolean): void {
    const { cells, base, subject } = record;
    const nowMs = this.#tracker.clock[0] as number;
    const elapsedMs = clockSince(nowMs, cells[base + kStartMs] as number);
    const timeoutMs = cells[base + kTimeoutMs] as number;
    const late = 2 * elapsedMs >= timeoutMs;
    if (!late && (!finished || elapsedMs < SHORTEST_TIMEOUT_MS)) return;
    if (subject === undefined || record.answeredStatus !== undefined) return;
    if (!record.isAwaited || record.reported) return;
    if (finished && !mayWaitStill(record)) return;
    const cut = subject.cutOff(finished, elapsedMs, record.rules);
    if (cut === undefined) return;
    const { how, timeout } = cut;
    const news = timeout !== undefined && !this.#tracker.timeouts.isSaid(timeout, elapsedMs);
    if (!late && !news) return;
    const placeMs = clockSince(nowMs, cells[base + kCheckpointMs] as number);
    const bytesMs = clockSince(nowMs, subject.bytesMovedMs);
    // What was finished by somebody else's time-out has been through an error handler just now: its own awaits tell.
    if (!finished && 2 * Math.min(placeMs, bytesMs) < timeoutMs) return;
    if (!this.#allowed(nowMs)) {
      if (late) Atomics.add(this.#tracker.table.header, kUnseenEnds, 1);
      return;
    }
    const stacks = record.outstanding > MAX_AWAITS ? [] : stacksOf(record);
    const ages = stacks.filter(({ own }) => own || !stacks.some((each) => each.own)).map(({ ageMs }) => ageMs);
    const idleMs = finished ? handlerIdleMs(record, stacks) : Math.min(placeMs, bytesMs, ...ages);
    if (news && 2 * idleMs >= elapsedMs)
      this.#tracker.timeouts.struck(timeout, elapsedMs, timeoutMs, this.#scanIntervalMs);
    if (2 * idleMs < timeoutMs) return;
    const evidence = requestEvidence(
      record,
      stacks,
      true,
      NOTHING_FOUND,
      this.#tracker.problems,
      new ActiveResources(),
    );
    if (evidence === undefined || evidence.openEnded) return;
    this.#post({
      type: 'cut-off',
      evidence,
      began: {
        request: record.id,
        method: cells[base + kMethod] as number,
        route: cells[base + kRoute] as number,
        startMs: cells[base + kStartMs] as number,
        beganAt: cells[base + kBeganAtEntry] as number,
        timeoutMs,
      },
      elapsedMs,
      idleMs,
      timeoutMs,
      checkpointAgeMs: placeMs,
      how,
    });
  }

  #allowed(nowMs: number): boolean {
    const refill = Math.floor(clockSince(nowMs, this.#refilledMs) / REFILL_MS);
    if (refill > 0) {
      this.#left = Math.min(BURST, this.#left + refill);
      this.#refilledMs = nowMs;
    }
    if (this.#left <= 0) return false;
    this.#left -= 1;
    return true;
  }
}

function stacksOf(record: RequestRecord): readonly AwaitStack[] {
  const work = collectAwaitStacks([record]);
  for (;;) {
    const step = work.next();
    if (step.done === true) return step.value.get(record) ?? [];
  }
}

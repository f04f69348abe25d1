import { type AwaitStack, type CallSite, collectAwaitStacks, sampleFirstWaiters } from '@hangwatch/async-hooks-helpers';
import { messageOf } from '../../message-of.ts';
import { unpackRefs } from '../../shared/packed-refs.ts';
import { clockSince, kStartMs } from '../../shared/slot-layout.ts';
import {
  type LookResult,
  MAX_REQUESTS,
  type SlotRef,
  type ToMain,
  type ToWatchdog,
} from '../../shared/worker-protocol.ts';
import { whoOnlyWaits } from '../claims/only-waits.ts';
import { waitSnapshot } from '../claims/wait-snapshot.ts';
import type { RequestRecord } from '../request-record.ts';
import { ActiveResources } from '../resources/pending-resources.ts';
import type { Tracker } from '../tracker.ts';
import { OutboundWait } from '../waits/outbound-wait.ts';
import { isImporting } from '../waits/waits-in-stacks.ts';
import { LoopDelay } from './loop-delay.ts';
import { requestEvidence, youngestOwnMs } from './request-evidence.ts';
import { runSliced } from './time-slice.ts';

/** Who waits for the same promise is looked for among this many requests. */
const PART = 512;
/** Requests in one message: writing it is a step that cannot be cut into slices. */
const REQUESTS_PER_MESSAGE = 32;
/** How often the watchdog hears that an answer is still being worked at. */
const SIGN_OF_LIFE_MS = 100;
/** First waiters looked at in one sample of one request. */
const SAMPLED_WAITERS = 32;
/** Samples of requests that have been sampled before, between two looks at the clock. */
const SAMPLES_PER_CLOCK_READ = 32;
/** How far an allowance that goes unused adds up. */
const LONGEST_SAVED_MS = 50;

type Asked = Extract<ToMain, { type: 'sample' | 'look' | 'gather' }>;

/** Answers the watchdog's questions on the main thread: in slices, from macrotasks, within a budget. */
export class EvidenceDesk {
  readonly #tracker: Tracker;
  readonly #post: (message: ToWatchdog) => void;
  readonly #loop = new LoopDelay();
  /** Milliseconds that looks may still take; each sample brings a scan's share of 1% of the main thread's time. */
  #allowanceMs = 0;
  #sampleFrom = 0;
  #sampling = false;
  /** The question that is being answered. */
  #gathering = 0;

  constructor(tracker: Tracker, post: (message: ToWatchdog) => void) {
    this.#tracker = tracker;
    this.#post = post;
  }

  receive(message: Asked): void {
    switch (message.type) {
      case 'sample':
        this.#tracker.recorder.loopLag(this.#loop.received(message.sentAtMs));
        this.#allowanceMs = Math.min(this.#allowanceMs + message.budgetMs, LONGEST_SAVED_MS);
        this.#sample(message.budgetMs);
        return;
      case 'look':
        this.#run(this.#look(message.id, message.slots));
        return;
      case 'gather':
        this.#run(this.#gather(message));
        return;
    }
  }

  #run(work: Generator<undefined, void, void>): void {
    runSliced(
      work,
      () => undefined,
      (error) =>
        this.#tracker.problem('HANGWATCH_ERR_INTERNAL', `evidence could not be gathered: ${messageOf(error)}`, error),
    );
  }

  /**
   * Reads the byte counters of requests older than a scan, and once in each request's life keeps the stacks of promises that have
   * one waiter: with a second one they could no longer be walked. Goes round the table as far as the budget lasts.
   */
  #sample(budgetMs: number): void {
    if (this.#sampling) return;
    this.#sampling = true;
    const done = () => {
      this.#sampling = false;
    };
    runSliced(this.#sampleAll(budgetMs), done, (error) => {
      done();
      this.#tracker.problem('HANGWATCH_ERR_INTERNAL', `requests could not be sampled: ${messageOf(error)}`, error);
    });
  }

  *#sampleAll(budgetMs: number): Generator<undefined, void, void> {
    const { records, clock } = this.#tracker;
    let spentMs = 0;
    let beganMs = performance.now();
    let unclocked = 0;
    for (let left = records.length; left > 0 && spentMs < budgetMs; left--) {
      if (this.#sampleFrom >= records.length) this.#sampleFrom = 0;
      const record = records[this.#sampleFrom++];
      if (record === undefined) continue;
      // Most are sampled already and take less time than reading the clock.
      unclocked += record.sampled ? 1 : SAMPLES_PER_CLOCK_READ;
      sampleOne(record, clock[0] ?? 0);
      if (unclocked < SAMPLES_PER_CLOCK_READ) continue;
      unclocked = 0;
      spentMs += performance.now() - beganMs;
      yield;
      beganMs = performance.now();
    }
    this.#charge(spentMs);
  }

  *#look(id: number, slots: readonly SlotRef[]): Generator<undefined, void, void> {
    const results: LookResult[] = [];
    for (const ref of slots) {
      const record = this.#tracker.find(ref);
      if (record === undefined) continue;
      if (this.#allowanceMs <= 0) {
        results.push({ ...ref, youngestOwnMs: 'deferred' });
        continue;
      }
      const stacks = yield* this.#stacksOf([record]);
      const found = stacks.get(record) ?? [];
      results.push({ ...ref, youngestOwnMs: youngestOwnMs(found), place: placeIn(found) });
    }
    this.#post({ type: 'look', id, results });
  }

  *#gather({ id, stuck, only }: Extract<Asked, { type: 'gather' }>): Generator<undefined, void, void> {
    const beganMs = performance.now();
    this.#gathering = id;
    const first = new Set<RequestRecord>();
    for (const ref of unpackRefs(stuck)) {
      const record = this.#tracker.find(ref);
      if (record !== undefined) first.add(record);
      if (first.size % PART === 0) yield;
    }
    yield;
    const rest = only
      ? []
      : this.#tracker.records.filter((record): record is RequestRecord => record !== undefined && !first.has(record));
    yield;
    // What a dump has no room for need not be gathered.
    const all = [...first, ...rest].slice(0, MAX_REQUESTS);
    const found = this.#tracker.findOutbound();
    const active = new ActiveResources();
    const importers = new Set<RequestRecord>();
    yield;
    // The stuck ones first, in parts: each part tells the watchdog that the main thread lives, and is safe if the next never comes.
    for (let i = 0; i < all.length; i += PART) {
      const part = all.slice(i, i + PART);
      const stacks = yield* this.#collect(id, part);
      let requests = [];
      for (const record of part) {
        // A later question makes this one void.
        if (this.#gathering !== id) return;
        const evidence = requestEvidence(
          record,
          stacks.get(record) ?? [],
          first.has(record),
          found,
          this.#tracker.problems,
          active,
        );
        if (evidence !== undefined) requests.push(evidence);
        if (isImporting(stacks.get(record) ?? [])) importers.add(record);
        if (evidence?.notesPromises === true) this.#tracker.notePromises(record);
        yield;
        if (requests.length < REQUESTS_PER_MESSAGE && record !== part.at(-1)) continue;
        this.#post({ type: 'evidence-part', id, requests });
        requests = [];
        yield;
      }
    }
    const waiting = yield* whoOnlyWaits(all, found, importers);
    if (this.#gathering !== id) return;
    this.#post({
      type: 'evidence-end',
      id,
      waits: waitSnapshot(all, waiting, this.#tracker.clock[0] ?? 0),
      eventLoop: this.#loop.read(),
      resources: countResources(),
      tookMs: performance.now() - beganMs,
    });
  }

  /** The stacks of many requests, with signs of life for the watchdog. */
  *#collect(id: number, records: RequestRecord[]): Generator<undefined, Map<RequestRecord, AwaitStack[]>, void> {
    const work = collectAwaitStacks(records);
    let saidMs = performance.now();
    for (;;) {
      const step = work.next();
      if (step.done === true) return step.value as Map<RequestRecord, AwaitStack[]>;
      yield;
      if (performance.now() - saidMs < SIGN_OF_LIFE_MS) continue;
      saidMs = performance.now();
      this.#post({ type: 'evidence-part', id, requests: [] });
    }
  }

  /** Takes time off the allowance. The debt is bounded: one request with thousands of awaits must not silence all looks for long. */
  #charge(spentMs: number): void {
    this.#allowanceMs = Math.max(this.#allowanceMs - spentMs, -LONGEST_SAVED_MS);
  }

  /** The stacks, with the time that taking them cost charged to the allowance. */
  *#stacksOf(records: RequestRecord[]): Generator<undefined, Map<RequestRecord, AwaitStack[]>, void> {
    const work = collectAwaitStacks(records);
    for (;;) {
      const beganMs = performance.now();
      const step = work.next();
      this.#charge(performance.now() - beganMs);
      if (step.done === true) return step.value as Map<RequestRecord, AwaitStack[]>;
      yield;
    }
  }
}

/** Own stacks come first. */
function placeIn([stack]: readonly AwaitStack[]): CallSite | undefined {
  return stack?.frames.find(({ kind, line }) => kind === 'app' && line > 0) ?? stack?.frames[0];
}

function sampleOne(record: RequestRecord, nowMs: number): void {
  // The clock stands still within a scan, so a request that shows any age is at least one scan old.
  if (record.slot === undefined || clockSince(nowMs, record.cells[record.base + kStartMs] ?? 0) === 0) return;
  if (!record.sampled) {
    record.sampled = true;
    sampleFirstWaiters(record, SAMPLED_WAITERS);
  }
  record.watched?.dropSettled();
  if (record.outbound !== undefined) OutboundWait.sweep(record);
  const { subject } = record;
  if (subject === undefined) return;
  if (subject.isLost()) {
    record.leave(false);
    return;
  }
  if (!record.openEnded && subject.isOpenEnded()) record.foundOpenEnded();
  if (subject.bytesMoved(nowMs)) record.advance();
}

function countResources(): Record<string, number> {
  const counts: Record<string, number> = {};
  for (const type of process.getActiveResourcesInfo()) counts[type] = (counts[type] ?? 0) + 1;
  return counts;
}

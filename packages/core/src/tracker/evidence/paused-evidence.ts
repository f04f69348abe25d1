import { getHeapStatistics } from 'node:v8';
import { collectAwaitStacks } from '@hangwatch/async-hooks-helpers';
import { PAUSED_EVIDENCE } from '../../shared/paused-evidence-key.ts';
import type { PausedEvidence, RequestEvidence } from '../../shared/worker-protocol.ts';
import type { RequestRecord } from '../request-record.ts';
import { ActiveResources } from '../resources/pending-resources.ts';
import type { Tracker } from '../tracker.ts';
import type { FoundWaits } from '../waits/outbound-sources.ts';
import { requestEvidence } from './request-evidence.ts';

/** Whoever looks for outbound work asks Node for its handles: not in the middle of code that runs. */
const NOTHING_FOUND: FoundWaits = new Map();
/** Requests told of, and how long it may take: the application stands still meanwhile, as it did before. */
const MOST_REQUESTS = 200;
const LONGEST_MS = 200;

/**
 * Answers what the watchdog asks while the main thread is paused in the middle of a blocked event loop: whose code runs, and where the other
 * requests are suspended. Synchronous, bounded, and calls nothing of the application's.
 *
 * @returns JSON of {@link PausedEvidence}
 */
function pausedEvidence(tracker: Tracker): string {
  const endMs = performance.now() + LONGEST_MS;
  const current = tracker.current();
  const others = tracker.records.filter((record) => record !== undefined && record !== current);
  const records = [...(current === undefined ? [] : [current]), ...(others as RequestRecord[])].slice(0, MOST_REQUESTS);
  const work = collectAwaitStacks(records);
  let step = work.next();
  while (step.done !== true && performance.now() < endMs) step = work.next();
  const stacks = step.done === true ? step.value : undefined;
  const requests: RequestEvidence[] = [];
  const active = new ActiveResources();
  for (const record of records) {
    if (performance.now() > endMs) break;
    const evidence = requestEvidence(record, stacks?.get(record) ?? [], false, NOTHING_FOUND, undefined, active);
    if (evidence !== undefined) requests.push(evidence);
  }
  const heap = getHeapStatistics();
  const answer: PausedEvidence = {
    running: current?.id,
    requests,
    heapUsed: heap.heap_size_limit > 0 ? Math.min(1, heap.used_heap_size / heap.heap_size_limit) : 0,
  };
  return JSON.stringify(answer);
}

/** Puts the answer where the watchdog looks for it. */
export function offerPausedEvidence(tracker: Tracker): void {
  // Not enumerable: nobody who lists the globals should meet it. A hardened global object refuses: then there are no await stacks.
  Reflect.defineProperty(globalThis, Symbol.for(PAUSED_EVIDENCE), {
    value: () => pausedEvidence(tracker),
    configurable: true,
  });
}

/** The tracker is stopped. */
export function withdrawPausedEvidence(): void {
  Reflect.deleteProperty(globalThis, Symbol.for(PAUSED_EVIDENCE));
}

import { getHeapStatistics } from 'node:v8';
import { PAUSED_EVIDENCE } from '../../shared/paused-evidence-key.ts';
import type { PausedEvidence } from '../../shared/worker-protocol.ts';
import type { Tracker } from '../tracker.ts';
import { evidenceAtOnce } from './evidence-at-once.ts';

/** How long it may take: the application stands still meanwhile, as it did before. */
const LONGEST_MS = 200;

/**
 * Answers what the watchdog asks while the main thread is paused in the middle of a blocked event loop: whose code runs, and where the other
 * requests are suspended. Synchronous, bounded, and calls nothing of the application's.
 *
 * @returns JSON of {@link PausedEvidence}
 */
function pausedEvidence(tracker: Tracker): string {
  const current = tracker.current();
  const { requests } = evidenceAtOnce(tracker.records, current, LONGEST_MS);
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

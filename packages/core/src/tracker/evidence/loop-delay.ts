import { performance } from 'node:perf_hooks';
import type { EventLoopState } from '../../shared/worker-protocol.ts';

const KEPT = 128;

/**
 * The event loop's delay, measured by how long the watchdog's messages wait to be read: no timer of our own wakes the loop.
 * Utilization is what Node counts anyway. https://nodejs.org/api/perf_hooks.html#performanceeventlooputilizationutilization1-utilization2
 */
export class LoopDelay {
  readonly #delaysMs = new Float64Array(KEPT);
  #count = 0;
  #last = performance.eventLoopUtilization();
  /** When the message before was read. */
  #readMs = 0;

  /**
   * @param sentAtMs when the message was sent, milliseconds since the epoch by `performance` (both threads share that clock)
   * @returns for how long it waited; 0 for one that waited behind another, since that is the same delay again
   */
  received(sentAtMs: number): number {
    const nowMs = performance.timeOrigin + performance.now();
    const delayMs = Math.max(0, nowMs - sentAtMs);
    this.#delaysMs[this.#count++ % KEPT] = delayMs;
    const isFirst = sentAtMs >= this.#readMs;
    this.#readMs = nowMs;
    return isFirst ? delayMs : 0;
  }

  read(): EventLoopState {
    const kept = this.#delaysMs.slice(0, Math.min(this.#count, KEPT)).sort();
    const delayP99Ms = kept[Math.max(0, Math.ceil(kept.length * 0.99) - 1)] ?? 0;
    const now = performance.eventLoopUtilization();
    const { utilization } = performance.eventLoopUtilization(now, this.#last);
    this.#last = now;
    return { delayP99Ms, utilization: Number.isFinite(utilization) ? Math.min(1, Math.max(0, utilization)) : 0 };
  }
}

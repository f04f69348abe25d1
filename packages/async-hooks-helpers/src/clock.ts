import { AsyncResource } from 'node:async_hooks';
import { liveContexts } from './live-contexts.ts';

const DEFAULT_RESOLUTION_MS = 50;
/** Stacks captured per second of the default clock: 0.2% of a core. */
const CAPTURES_A_SECOND = 1000;

let current: Uint32Array = new Uint32Array(1);

/** The clock's reading as an int32: readings are compared by wrapping subtraction. */
export function clockNow(): number {
  return (current[0] as number) | 0;
}

/** Makes `clock` the one that ages are taken from. */
export function useClock(clock: Uint32Array): void {
  current = clock;
}

/**
 * The clock where nobody gives one: an unref'd timer that moves it, and refills the capture budget, while any context is live. Between
 * two ticks time stands still; no await reads the time.
 */
export class DefaultClock {
  readonly cells: Uint32Array = new Uint32Array(1);
  readonly budget: Int32Array = new Int32Array([CAPTURES_A_SECOND]);
  /** Made now: a timer made while a request runs would carry that request's context for ever. */
  readonly #resource = new AsyncResource('HangwatchClock');
  #timer: NodeJS.Timeout | undefined;

  start(): void {
    liveContexts.wake = () => this.#wake();
    if (liveContexts.count > 0) this.#wake();
  }

  stop(): void {
    liveContexts.wake = undefined;
    clearInterval(this.#timer);
    this.#timer = undefined;
  }

  #wake(): void {
    this.#read();
    this.#timer ??= this.#resource.runInAsyncScope(() =>
      setInterval(() => this.#tick(), DEFAULT_RESOLUTION_MS).unref(),
    );
  }

  #tick(): void {
    this.#read();
    const filled = (this.budget[0] as number) + (CAPTURES_A_SECOND * DEFAULT_RESOLUTION_MS) / 1000;
    this.budget[0] = Math.min(CAPTURES_A_SECOND, filled);
    if (liveContexts.count > 0) return;
    clearInterval(this.#timer);
    this.#timer = undefined;
  }

  #read(): void {
    this.cells[0] = Math.trunc(performance.now());
  }
}

import { AsyncResource } from 'node:async_hooks';
import type { Closing } from '../../shared/worker-protocol.ts';

/**
 * Times one application's closing, and tells once if that takes too long. Whoever says first that it closes is the one whose end counts: a framework
 * that closes has more to do than its server.
 */
export class Shutdown {
  readonly #timeoutMs: number;
  readonly #tooLong: (closing: Closing) => void;
  /** The timer must not belong to the request that has the server closed. */
  readonly #context = new AsyncResource('hangwatch');
  #by: unknown = undefined;
  #timer: NodeJS.Timeout | undefined;

  /** @param timeoutMs 0: nothing is ever told */
  constructor(timeoutMs: number, tooLong: (closing: Closing) => void) {
    this.#timeoutMs = timeoutMs;
    this.#tooLong = tooLong;
  }

  /**
   * @param what as the beginning of a sentence: `app.close()`
   * @param by who is closing
   */
  begin(what: string, by: object): void {
    if (this.#timeoutMs === 0 || this.#by !== undefined) return;
    this.#by = by;
    const beganMs = performance.now();
    const tell = () => this.#tooLong({ what, sinceMs: performance.now() - beganMs });
    this.#timer = this.#context.runInAsyncScope(() => setTimeout(tell, this.#timeoutMs));
    this.#timer.unref();
  }

  /** @param by who has closed */
  end(by: object): void {
    if (this.#by !== by) return;
    clearTimeout(this.#timer);
    this.#by = undefined;
  }

  /** Everything is closed, whoever began. */
  over(): void {
    clearTimeout(this.#timer);
    this.#by = undefined;
  }
}

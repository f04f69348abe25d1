import { DETECTION_SCANS, type RequestTimeout, wrongOrder } from './server-timeouts.ts';

/** Says, once a process each, which time-outs end requests before they can be reported as stuck: those that can be read, and those that were seen to strike. */
export class TimeoutOrder {
  readonly #say: (message: string) => void;
  /** Those that were said because their settings are known. */
  readonly #known: RequestTimeout[] = [];
  readonly #said = new Set<string>();

  constructor(say: (message: string) => void) {
    this.#say = say;
  }

  /**
   * A time-out whose length can be read.
   *
   * @param route the route that has this timeout for itself: the first one is named
   */
  check(other: RequestTimeout, timeoutMs: number, scanIntervalMs: number, route?: string): void {
    const problem = wrongOrder(other, timeoutMs, scanIntervalMs, route);
    const pair = `${other.name} ${other.ms} ${timeoutMs}`;
    if (problem === undefined || this.#said.has(pair)) return;
    this.#said.add(pair);
    this.#known.push(other);
    this.#say(problem);
  }

  /** Whether all is said of a time-out that has struck. */
  isSaid(name: string, elapsedMs: number): boolean {
    return this.#said.has(name) || this.#known.some((each) => isAbout(each, elapsedMs));
  }

  /**
   * A time-out has struck whose length nobody could read.
   *
   * @param name what has struck, as far as can be told
   * @param elapsedMs how old the request was by then
   */
  struck(name: string, elapsedMs: number, timeoutMs: number, scanIntervalMs: number): void {
    if (this.isSaid(name, elapsedMs)) return;
    this.#said.add(name);
    const better = Math.max(1, Math.floor(elapsedMs * 0.8));
    this.#say(
      `${name} has ended a request after about ${Math.round(elapsedMs)} ms, while its handler was still waiting, before hangwatch could report it as stuck (timeout ${timeoutMs} ms): ` +
        `set hangwatch's timeout to ${better} or less, or the other to more than ${Math.ceil(timeoutMs + DETECTION_SCANS * scanIntervalMs)}`,
    );
  }
}

/** Whether a time-out would have struck about now: the watchdog's clock is behind for the first request of all. */
export function isAbout({ ms }: RequestTimeout, elapsedMs: number): boolean {
  return elapsedMs >= 0.5 * ms && elapsedMs <= 1.5 * ms + 1_000;
}

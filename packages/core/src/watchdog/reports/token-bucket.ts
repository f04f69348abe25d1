/** What may be done now and then: so often at once, and once more each time that a while has passed. */
export class TokenBucket {
  readonly #size: number;
  readonly #refillMs: number;
  #tokens: number;
  #atMs: number;

  constructor(size: number, refillMs: number, nowMs: number) {
    this.#size = size;
    this.#refillMs = refillMs;
    this.#tokens = size;
    this.#atMs = nowMs;
  }

  has(nowMs: number): boolean {
    const refilled = Math.max(0, nowMs - this.#atMs) / this.#refillMs;
    this.#tokens = Math.min(this.#size, this.#tokens + refilled);
    this.#atMs = nowMs;
    return this.#tokens >= 1;
  }

  /** When there will be one, if none is taken meanwhile. */
  nextMs(nowMs: number): number {
    return this.has(nowMs) ? nowMs : nowMs + (1 - this.#tokens) * this.#refillMs;
  }

  take(): void {
    this.#tokens -= 1;
  }
}

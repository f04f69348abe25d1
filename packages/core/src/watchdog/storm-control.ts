/** Dumps that may be sent at once, and how long one more takes to become due. */
const BURST = 20;
const REFILL_MS = 3_000;
/** The same of one fingerprint. */
const GROUP_BURST = 3;
const GROUP_REFILL_MS = 60_000;
/** Groups remembered; the least recently seen is forgotten first. */
const MAX_GROUPS = 1_000;

class TokenBucket {
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

  take(): void {
    this.#tokens -= 1;
  }
}

/** Limits how many dumps leave the process, in all and of one kind, and counts what it holds back. */
export class StormControl {
  readonly #all: TokenBucket;
  readonly #groups = new Map<string, TokenBucket>();
  #dumps = 0;
  #requests = 0;

  constructor(nowMs: number) {
    this.#all = new TokenBucket(BURST, REFILL_MS, nowMs);
  }

  /** Whether a dump may go now. If not, it is counted as suppressed with the requests in it. */
  admit(fingerprint: string, requests: number, nowMs: number): boolean {
    const group = this.#group(fingerprint, nowMs);
    const mayGo = [group.has(nowMs), this.#all.has(nowMs)].every(Boolean);
    if (mayGo) {
      group.take();
      this.#all.take();
    } else {
      this.#dumps += 1;
      this.#requests += requests;
    }
    return mayGo;
  }

  /** What was suppressed since the last dump that went: to be said in the next. */
  takeSuppressed(): { dumps: number; requests: number } {
    const suppressed = { dumps: this.#dumps, requests: this.#requests };
    this.#dumps = 0;
    this.#requests = 0;
    return suppressed;
  }

  #group(fingerprint: string, nowMs: number): TokenBucket {
    const group = this.#groups.get(fingerprint) ?? new TokenBucket(GROUP_BURST, GROUP_REFILL_MS, nowMs);
    this.#groups.delete(fingerprint);
    this.#groups.set(fingerprint, group);
    const [oldest] = this.#groups.keys();
    if (this.#groups.size > MAX_GROUPS && oldest !== undefined) this.#groups.delete(oldest);
    return group;
  }
}

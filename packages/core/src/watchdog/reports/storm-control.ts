import type { DumpSuppressed } from '@hangwatch/protocol';
import { TokenBucket } from './token-bucket.ts';

/** Dumps that may be sent at once, and how long one more takes to become due. */
const BURST = 20;
export const REFILL_MS = 3_000;
/** The same of one fingerprint. */
const GROUP_BURST = 3;
const GROUP_REFILL_MS = 60_000;
/** Groups remembered; the least recently seen is forgotten first. */
const MAX_GROUPS = 1_000;

/** Limits how many dumps leave the process, in all and of one kind, and counts what it holds back. */
export class StormControl {
  readonly #all: TokenBucket;
  readonly #groups = new Map<string, TokenBucket>();
  #dumps = 0;
  #requests = 0;
  #sinceMs = 0;

  constructor(nowMs: number) {
    this.#all = new TokenBucket(BURST, REFILL_MS, nowMs);
  }

  /** Whether any dump may go now. */
  open(nowMs: number): boolean {
    return this.#all.has(nowMs);
  }

  /** Whether one of these hangs says anything new now; nothing is taken. */
  isNews(fingerprints: readonly string[], nowMs: number): boolean {
    return fingerprints.some((each) => this.#group(each, nowMs).has(nowMs));
  }

  /**
   * Whether a dump with these hangs goes (`go`), says nothing new and is counted as suppressed (`known`), or has to wait
   * until a storm is over, because one of its hangs is new (`wait`).
   */
  admit(fingerprints: readonly string[], requests: number, nowMs: number): 'go' | 'known' | 'wait' {
    return this.#admit(fingerprints, requests, nowMs, false);
  }

  /** The same of what cannot wait, and comes one at a time: a storm of others does not hold it back. */
  admitAtOnce(fingerprint: string, requests: number, nowMs: number): boolean {
    return this.#admit([fingerprint], requests, nowMs, true) === 'go';
  }

  #admit(fingerprints: readonly string[], requests: number, nowMs: number, atOnce: boolean): 'go' | 'known' | 'wait' {
    const fresh = [...new Set(fingerprints)]
      .map((each) => this.#group(each, nowMs))
      .filter((group) => group.has(nowMs));
    if (fresh.length === 0) {
      this.suppress(requests, nowMs);
      return 'known';
    }
    const calm = this.#all.has(nowMs);
    if (!calm && !atOnce) return 'wait';
    for (const group of fresh) group.take();
    if (calm) this.#all.take();
    return 'go';
  }

  /** Counts a dump that could not wait. */
  suppress(requests: number, nowMs: number): void {
    if (this.#dumps === 0) this.#sinceMs = nowMs;
    this.#dumps += 1;
    this.#requests += requests;
  }

  /** When the first was suppressed since the last dump that went; `undefined`: none was. */
  get suppressedSinceMs(): number | undefined {
    return this.#dumps === 0 ? undefined : this.#sinceMs;
  }

  /** What was suppressed since the last dump that went: to be said in the next. */
  takeSuppressed(): DumpSuppressed {
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

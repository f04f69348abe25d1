import { createHash } from 'node:crypto';
import type { PostedNow } from '../../shared/worker-protocol.ts';
import type { Collector } from './collector.ts';
import type { CollectorUrl } from './collector-url.ts';
import type { PostOutcome } from './post-outcome.ts';

const LIMIT_MS = 15_000;
/** With somebody else to turn to, a silent collector is given up sooner. */
const LIMIT_WITH_FALLBACK_MS = 5_000;

/** Longest time {@link Collectors.post} may take, for `count` collectors. */
export function longestPostMs(count: number): number {
  return LIMIT_MS + Math.max(0, count - 1) * LIMIT_WITH_FALLBACK_MS;
}

/** What became of a parcel: one collector has it, or none will ever, or none has now. */
export type CollectorsOutcome =
  | Extract<PostOutcome, { kind: 'acknowledged' | 'rejected' }>
  | { readonly kind: 'unavailable' };

/**
 * The collectors in the order they were given: a parcel goes to the first that may be tried, and to the next when
 * that one fails. The first acknowledgement is enough; the others are fallbacks, not copies.
 */
export class Collectors {
  readonly #all: readonly Collector[];

  constructor(all: readonly Collector[]) {
    this.#all = all;
  }

  /** Milliseconds until one of them may be tried; 0 = now. */
  get waitMs(): number {
    return Math.min(...this.#all.map((collector) => collector.waitMs));
  }

  /** Posts one parcel. Never rejects. `isOver` is asked between two collectors: then the rest are left alone. */
  async post(gzip: Buffer, isOver: () => boolean = () => false): Promise<CollectorsOutcome> {
    let rejected: CollectorsOutcome | undefined;
    const ready = this.#all.filter((collector) => collector.waitMs === 0);
    for (const [index, collector] of ready.entries()) {
      if (isOver()) break;
      const outcome = await collector.post(gzip, index < ready.length - 1 ? LIMIT_WITH_FALLBACK_MS : LIMIT_MS);
      if (outcome.kind === 'acknowledged') return outcome;
      // Limits differ from collector to collector: the next may take what this one has refused.
      if (outcome.kind === 'rejected') rejected ??= outcome;
    }
    return rejected ?? { kind: 'unavailable' };
  }

  /** Posts one parcel to the first that takes it, also to those that are being left alone. Never rejects. */
  async postNow(gzip: Buffer): Promise<PostedNow> {
    const reasons: string[] = [];
    for (const collector of this.#all) {
      const outcome = await collector.post(gzip, LIMIT_WITH_FALLBACK_MS);
      if (outcome.kind === 'acknowledged') return { ok: true, collector: collector.label };
      reasons.push(`${collector.label}: ${reasonOf(outcome)}`);
    }
    return { ok: false, reason: reasons.join('; ') };
  }
}

function reasonOf(outcome: Exclude<PostOutcome, { kind: 'acknowledged' }>): string {
  switch (outcome.kind) {
    case 'rejected':
      return `refuses the report: ${outcome.status} ${outcome.answer}`.trimEnd();
    case 'unauthorized':
      return `refuses the token: ${outcome.status} ${outcome.answer}`.trimEnd();
    case 'busy':
      return `is busy: ${outcome.status}`;
    case 'failed':
      return outcome.reason;
  }
}

/** Eight hexadecimal digits for a list of collectors: processes that report elsewhere leave each other's spooled dumps alone. */
export function destinationOf(labels: readonly string[]): string {
  return createHash('sha256').update(labels.join('\n')).digest('hex').slice(0, 8);
}

/** The hosts that connections go to: the proxies, where there are any. */
export function hostsOf(proxies: readonly string[] | undefined, targets: readonly CollectorUrl[]): string[] {
  const urls =
    proxies?.map((proxy) => (URL.canParse(proxy) ? new URL(proxy) : undefined)) ?? targets.map(({ url }) => url);
  return urls.flatMap((url) => (url ? [url.hostname] : []));
}

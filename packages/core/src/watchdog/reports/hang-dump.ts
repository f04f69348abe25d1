import type { Dump, DumpRequest, Evidence } from '@hangwatch/protocol';
import { MAX_REQUESTS } from '../../shared/worker-protocol.ts';
import { EVIDENCE_ORDER } from '../diagnosis/diagnose.ts';
import type { Finding } from '../diagnosis/finding.ts';
import { combineFingerprints } from '../diagnosis/fingerprint.ts';
import { poolSentence, threadPoolOf } from '../diagnosis/thread-pool.ts';
import type { Gathered } from '../table/main-thread.ts';
import { ofInterest } from '../table/recent-past.ts';
import type { Watched } from '../table/scanner.ts';
import { deadlockSentence } from '../wait-graph/deadlock-sentence.ts';
import { withHeldModules } from '../wait-graph/held-modules.ts';
import { type DumpBase, nameOf } from './dump-base.ts';

/** What a scan has found. */
export interface FoundHangs {
  readonly findings: readonly Finding[];
  /** Every request, the stuck ones included. */
  readonly inFlight: readonly Watched[];
  readonly gathered: Gathered;
  readonly nowMs: number;
  /** The dump that all of them were last reported in. */
  readonly follows?: string | undefined;
}

/** The dump of a scan that found hangs. */
export function hangDump(base: DumpBase, { findings, inFlight, gathered, nowMs, follows }: FoundHangs): Dump {
  const evidenceOf = ({ slot }: Watched) => gathered.requests.get(slot);
  const bySlot = new Map(findings.map((finding) => [finding.watched.slot, finding]));
  const stuck = findings
    .slice(0, MAX_REQUESTS)
    .map(({ watched, verdict }) => base.request(watched, evidenceOf(watched), nowMs, verdict));
  const moving = inFlight
    .filter(({ slot }) => !bySlot.has(slot))
    .slice(0, Math.max(0, MAX_REQUESTS - stuck.length))
    .map((watched) => base.request(watched, evidenceOf(watched), nowMs));
  const evidence =
    EVIDENCE_ORDER.find((each) => findings.some(({ verdict }) => verdict.evidence === each)) ?? 'no-progress';
  const pool = threadPoolOf(gathered.resources, base.settings.poolSize);
  const notes = [noteOn(gathered, inFlight.length - stuck.length - moving.length), gathered.note];
  const note = notes.filter((each) => each !== undefined).join('; ');
  const about = findings.map(({ watched }) => ofInterest(watched));
  return base.dump(
    'hang',
    { about, nowMs },
    {
      follows,
      verdict: {
        evidence,
        summary: `${deadlockSentence(stuck, gathered.graph?.waitFor) ?? summaryOf(stuck, evidence)}${poolSentence(pool)}`,
        fingerprint: combineFingerprints(findings.map(({ fingerprint }) => fingerprint)),
      },
      requests: [...stuck, ...moving].map((request) => withHeldModules(request, gathered.modules)),
      ...(gathered.graph === undefined ? {} : { waitFor: gathered.graph.waitFor }),
      evidence: { complete: gathered.complete, tookMs: gathered.tookMs, ...(note === '' ? {} : { note }) },
      eventLoop: gathered.eventLoop,
      resources: gathered.resources,
      ...(pool === undefined ? {} : { threadPool: pool }),
    },
  );
}

/** Why the dump is less than the whole, if it is. */
function noteOn({ complete, requests, tookMs }: Gathered, left: number): string | undefined {
  if (complete) return left > 0 ? `${left} more requests are in flight than a dump holds` : undefined;
  return requests.size === 0
    ? `the main thread did not answer within ${Math.round(tookMs)} ms: the event loop is blocked, or too busy`
    : `the main thread answered for ${requests.size} requests, and then no more for too long`;
}

/** The sentence a person reads first: of the oldest of those that the dump's verdict holds for. */
function summaryOf(stuck: readonly DumpRequest[], evidence: Evidence): string {
  const meant = stuck.filter(({ verdict }) => verdict?.evidence === evidence);
  // None, where the dump has no room for them.
  const oldest = (meant.length > 0 ? meant : stuck).reduce((a, b) => (b.elapsedMs > a.elapsedMs ? b : a));
  const sentence = `${nameOf(oldest)} ${oldest.verdict?.summary ?? 'is stuck'}`;
  if (stuck.length === 1) return sentence;
  return `${stuck.length} requests are stuck; ${meant.length === stuck.length ? 'the oldest, ' : ''}${sentence}`;
}

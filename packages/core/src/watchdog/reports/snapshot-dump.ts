import type { Dump, DumpRequest } from '@hangwatch/protocol';
import { MAX_REQUESTS } from '../../shared/worker-protocol.ts';
import { seconds } from '../diagnosis/duration-text.ts';
import type { Gathered } from '../table/main-thread.ts';
import { ofInterest } from '../table/recent-past.ts';
import type { Watched } from '../table/scanner.ts';
import { type DumpBase, nameOf } from './dump-base.ts';

/** The dump of everything in flight, of which nothing is said to be stuck. */
export function snapshotDump(base: DumpBase, inFlight: readonly Watched[], gathered: Gathered, nowMs: number): Dump {
  const requests = inFlight
    .slice(0, MAX_REQUESTS)
    .map((watched) => base.request(watched, gathered.requests.get(watched.slot), nowMs));
  return base.dump(
    'snapshot',
    { about: inFlight.map(ofInterest), nowMs },
    {
      verdict: { evidence: 'on-request', summary: summaryOf(requests, inFlight.length) },
      requests,
      ...(gathered.graph === undefined ? {} : { waitFor: gathered.graph.waitFor }),
      evidence: { complete: gathered.complete, tookMs: gathered.tookMs },
      eventLoop: gathered.eventLoop,
      resources: gathered.resources,
    },
  );
}

function summaryOf(requests: readonly DumpRequest[], count: number): string {
  const oldest = requests.reduce<DumpRequest | undefined>(
    (a, b) => (a === undefined || b.elapsedMs > a.elapsedMs ? b : a),
    undefined,
  );
  if (oldest === undefined) return 'nothing is in flight';
  return `${count} in flight; the oldest, ${nameOf(oldest)}, for ${seconds(oldest.elapsedMs)}`;
}

import type { Dump, DumpRequest, DumpRequestVerdict } from '@hangwatch/protocol';
import type { CutOff } from '../../shared/worker-protocol.ts';
import type { Watched } from '../table/scanner.ts';
import { type DumpBase, fieldsOf } from './dump-base.ts';

/** Requests in the dump beside the one that it is about. */
const MAX_BYSTANDERS = 1_000;

/** A request that ended from outside before it could be reported. */
export interface FoundCutOff {
  /** With its places in the sources. */
  readonly cut: CutOff;
  readonly verdict: DumpRequestVerdict;
  readonly fingerprint: string;
  readonly inFlight: readonly Watched[];
  readonly nowMs: number;
  readonly note: string | undefined;
}

/** The dump of such a request. Of the others, what the table says. */
export function cutOffDump(base: DumpBase, { cut, verdict, fingerprint, inFlight, nowMs, note }: FoundCutOff): Dump {
  const { evidence, began, elapsedMs, idleMs, timeoutMs, checkpointAgeMs } = cut;
  const { method, route, path } = evidence;
  const one: DumpRequest = {
    id: began.request,
    method,
    route,
    path,
    ...fieldsOf(evidence),
    state: 'stuck',
    elapsedMs: Math.max(elapsedMs, idleMs),
    idleMs,
    timeoutMs,
    checkpoint: { ...evidence.checkpoint, ageMs: checkpointAgeMs },
    verdict,
  };
  const others = inFlight
    .filter(({ reading }) => reading.request !== began.request)
    .slice(0, MAX_BYSTANDERS)
    .map((watched) => base.request(watched, undefined, nowMs));
  return base.dump(
    'gone',
    { about: [began], nowMs },
    {
      verdict: { evidence: verdict.evidence, summary: `${method} ${route} ${verdict.summary}`, fingerprint },
      requests: [one, ...others],
      evidence: { complete: true, tookMs: 0, ...(note === undefined ? {} : { note }) },
    },
  );
}

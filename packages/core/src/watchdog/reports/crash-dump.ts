import type { Dump, DumpCrash, DumpEvidence } from '@hangwatch/protocol';
import { FLAG_UNWATCHED } from '../../shared/slot-layout.ts';
import type { LastEvidence } from '../../shared/worker-protocol.ts';
import { crashVerdict } from '../diagnosis/crash-verdict.ts';
import { ofInterest } from '../table/recent-past.ts';
import { oldestFirst, type Watched } from '../table/scanner.ts';
import type { DumpBase } from './dump-base.ts';

/** Requests shown: the one that ran, and the oldest; event streams and the like come last, as they do where evidence is taken. */
const MAX_REQUESTS = 200;

/** A process that ends, or that may have ended when this is read. */
export interface ProcessEnd {
  /** The same for all dumps of one process's end, of which the first counts. */
  readonly id: string;
  readonly crash: DumpCrash;
  readonly inFlight: readonly Watched[];
  /** What the main thread had left to say, in places of the sources. `undefined`: it could not be asked. */
  readonly evidence: LastEvidence | undefined;
  readonly follows: string | undefined;
  /** What a reader ought to know of those places. */
  readonly note: string | undefined;
  readonly nowMs: number;
}

/** The dump of such a process. */
export function crashDump(base: DumpBase, end: ProcessEnd): Dump {
  const { id, crash, evidence, follows, nowMs } = end;
  const inFlight = oldestFirst(end.inFlight, nowMs);
  const known = new Map((evidence?.requests ?? []).map((request) => [request.slot, request]));
  const rank = ({ reading: { request, flags } }: Watched) =>
    request === crash.running ? 0 : (flags & FLAG_UNWATCHED) === 0 ? 1 : 2;
  const shown = [...inFlight].sort((a, b) => rank(a) - rank(b)).slice(0, MAX_REQUESTS);
  const requestOf = (watched: Watched) => base.request(watched, known.get(watched.slot), nowMs);
  return base.dump(
    'crash',
    { about: shown.map(ofInterest), nowMs },
    {
      id,
      ...(follows === undefined ? {} : { follows }),
      verdict: crashVerdict(crash, inFlight.slice(0, MAX_REQUESTS).map(requestOf), inFlight.length, base.settings.cwd),
      requests: shown.map(requestOf),
      crash,
      evidence: evidenceOf(end, inFlight.length - shown.length, shown.filter(({ slot }) => !known.has(slot)).length),
    },
  );
}

function evidenceOf({ evidence, note }: ProcessEnd, notShown: number, unknown: number): DumpEvidence {
  const where = evidence === undefined ? 'the table alone speaks' : 'the process had no more time, or could not say';
  const notes = [
    notShown === 0 ? undefined : `${notShown} more requests were in flight than are shown`,
    unknown === 0 ? undefined : `where ${unknown} of the requests were suspended is not known: ${where}`,
    note,
  ].filter((each) => each !== undefined);
  return {
    complete: unknown === 0,
    tookMs: evidence?.tookMs ?? 0,
    ...(notes.length === 0 ? {} : { note: notes.join('; ') }),
  };
}

import type { Dump, DumpCrash } from '@hangwatch/protocol';
import { crashVerdict } from '../diagnosis/crash-verdict.ts';
import { ofInterest } from '../table/recent-past.ts';
import { oldestFirst, type Watched } from '../table/scanner.ts';
import type { DumpBase } from './dump-base.ts';

/** Requests shown, the oldest. */
const MAX_REQUESTS = 200;

/** A process that ends, or that may have ended when this is read. */
export interface ProcessEnd {
  /** The same for all dumps of one process's end, of which the first counts. */
  readonly id: string;
  readonly crash: DumpCrash;
  readonly inFlight: readonly Watched[];
  readonly follows: string | undefined;
  readonly nowMs: number;
}

/** The dump of such a process. */
export function crashDump(base: DumpBase, { id, crash, inFlight, follows, nowMs }: ProcessEnd): Dump {
  const shown = oldestFirst(inFlight, nowMs).slice(0, MAX_REQUESTS);
  const requests = shown.map((watched) => base.request(watched, undefined, nowMs));
  const left = inFlight.length - shown.length;
  return base.dump(
    'crash',
    { about: shown.map(ofInterest), nowMs },
    {
      id,
      ...(follows === undefined ? {} : { follows }),
      verdict: crashVerdict(crash, requests, inFlight.length, base.settings.cwd),
      requests,
      crash,
      evidence: {
        complete: true,
        tookMs: 0,
        ...(left === 0 ? {} : { note: `${left} more requests were in flight than are shown` }),
      },
    },
  );
}

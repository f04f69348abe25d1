import type { Dump } from '@hangwatch/protocol';
import { type Closing, MAX_REQUESTS } from '../../shared/worker-protocol.ts';
import { shutdownVerdict } from '../diagnosis/shutdown-verdict.ts';
import type { Gathered } from '../table/main-thread.ts';
import { ofInterest } from '../table/recent-past.ts';
import type { Watched } from '../table/scanner.ts';
import type { DumpBase } from './dump-base.ts';

/** An application that does not get closed, and what may hold it. */
export interface Held {
  readonly closing: Closing;
  /** Oldest first. */
  readonly inFlight: readonly Watched[];
  readonly gathered: Gathered;
  readonly nowMs: number;
  /** The dump that last reported one of the requests. */
  readonly follows: string | undefined;
}

/** The dump of such an application: nothing need be stuck, so nothing is called so. */
export function shutdownDump(base: DumpBase, { closing, inFlight, gathered, nowMs, follows }: Held): Dump {
  const { requests: evidence, resources, complete, tookMs, eventLoop, note } = gathered;
  return base.dump(
    'shutdown',
    { about: inFlight.map(ofInterest), nowMs },
    {
      follows,
      verdict: shutdownVerdict({ closing, inFlight, evidence, resources, nowMs }, base.settings),
      requests: inFlight
        .slice(0, MAX_REQUESTS)
        .map((watched) => base.request(watched, evidence.get(watched.slot), nowMs)),
      evidence: { complete, tookMs, note },
      eventLoop,
      resources,
    },
  );
}

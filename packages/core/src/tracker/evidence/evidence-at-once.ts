import { type AwaitContext, type AwaitStack, collectAwaitStacks } from '@hangwatch/async-hooks-helpers';
import type { LastEvidence } from '../../shared/worker-protocol.ts';
import type { RequestRecord } from '../request-record.ts';
import { ActiveResources } from '../resources/pending-resources.ts';
import type { FoundWaits } from '../waits/outbound-sources.ts';
import { requestEvidence } from './request-evidence.ts';

/** Whoever looks for outbound work asks Node for its handles: not in the middle of code that runs. */
const NOTHING_FOUND: FoundWaits = new Map();
/** Requests told of. */
const MOST_REQUESTS = 200;
/** Of the time, for walking the stacks; the rest is for putting down what was found. */
const WALKING_SHARE = 0.7;

/**
 * Where requests in flight are suspended, in one go: for a main thread that stands still anyway, or will never turn its event loop again. The
 * running one and the oldest come first. Bounded, and calls nothing of the application's.
 *
 * @param running the request whose code runs
 */
export function evidenceAtOnce(
  inFlight: readonly (RequestRecord | undefined)[],
  running: RequestRecord | undefined,
  longestMs: number,
): LastEvidence {
  const beganMs = performance.now();
  const records = inFlight.filter((record) => record?.slot !== undefined) as RequestRecord[];
  const chosen = mostTelling(records, running);
  const stacks = new Map<AwaitContext, AwaitStack[]>();
  const walk = collectAwaitStacks(chosen, stacks);
  while (performance.now() - beganMs < longestMs * WALKING_SHARE && walk.next().done !== true);
  const requests = [];
  const active = new ActiveResources();
  for (const record of chosen) {
    const found = stacks.get(record);
    if (found === undefined || performance.now() - beganMs > longestMs) break;
    const evidence = requestEvidence(record, found, false, NOTHING_FOUND, undefined, active);
    if (evidence !== undefined) requests.push(evidence);
  }
  return { requests, tookMs: performance.now() - beganMs };
}

/** The running one, then those that somebody waits for, the oldest first; event streams and the like come last. */
function mostTelling(records: readonly RequestRecord[], running: RequestRecord | undefined): RequestRecord[] {
  const others = records.filter((record) => record !== running);
  const chosen = running === undefined || running.slot === undefined ? [] : [running];
  for (const awaited of [true, false]) {
    const room = MOST_REQUESTS - chosen.length;
    if (room > 0)
      chosen.push(
        ...oldest(
          others.filter(({ isAwaited }) => isAwaited === awaited),
          room,
        ),
      );
  }
  return chosen;
}

/** Their numbers say it, and sorting a hundred thousand of these takes a few milliseconds. */
function oldest(records: readonly RequestRecord[], most: number): RequestRecord[] {
  const last = Uint32Array.from(records, ({ id }) => id).sort()[most - 1] ?? Number.POSITIVE_INFINITY;
  return records.filter(({ id }) => id <= last).sort((a, b) => a.id - b.id);
}

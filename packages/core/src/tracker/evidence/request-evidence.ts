import type { AwaitContext, AwaitStack } from '@hangwatch/async-hooks-helpers';
import type { DumpAwait, DumpFrame, DumpWait } from '@hangwatch/protocol';
import { HangwatchError } from '../../errors.ts';
import { messageOf } from '../../message-of.ts';
import { kGeneration } from '../../shared/slot-layout.ts';
import type { RequestEvidence } from '../../shared/worker-protocol.ts';
import { claimEvidence } from '../claims/claim-evidence.ts';
import { clientWaits } from '../http/client-evidence.ts';
import type { ProblemReporter } from '../process/problem-reporter.ts';
import { RequestRecord } from '../request-record.ts';
import { type ActiveResources, pendingResources } from '../resources/pending-resources.ts';
import type { Subject } from '../subject.ts';
import { type FoundWaits, outboundWaits } from '../waits/outbound-sources.ts';
import { errorEvidence, layerEvidence } from './layer-evidence.ts';
import { trailEvidence } from './trail-evidence.ts';

/** Stacks shown of a stuck request and of one that merely is in flight. */
const STUCK_STACKS = 32;
const MOVING_STACKS = 4;
/** Other waiters of one promise that are named. */
const NAMED_WAITERS = 100;

/** Age of the youngest await that leads to the request's own handler. */
export function youngestOwnMs(stacks: readonly AwaitStack[]): number | undefined {
  let youngest: number | undefined;
  for (const { own, ageMs } of stacks) if (own && (youngest === undefined || ageMs < youngest)) youngest = ageMs;
  return youngest;
}

/**
 * Everything the dump says of one request; `undefined` when it has just ended.
 *
 * @param problems where failures of the application's callbacks go; `undefined`: no code of the application's is to be called
 */
export function requestEvidence(
  record: RequestRecord,
  stacks: readonly AwaitStack[],
  stuck: boolean,
  found: FoundWaits,
  problems: ProblemReporter | undefined,
  active: ActiveResources,
): RequestEvidence | undefined {
  const { slot, subject } = record;
  if (slot === undefined || subject === undefined) return undefined;
  // An own stack without frames is the handler's promise itself, awaited by nobody else: its age counts, there is nothing to show.
  const telling = stacks.filter(({ frames, created }) => frames.length > 0 || created !== undefined);
  const shown = telling.slice(0, stuck ? STUCK_STACKS : MOVING_STACKS);
  const openEnded = subject.isOpenEnded();
  if (openEnded) record.foundOpenEnded();
  const path = subject.shownPath;
  // Places take their time to be looked up, and the clock goes on meanwhile.
  const nowMs = record.owner.clock[0] ?? 0;
  const client = subject.client(nowMs);
  const claims = claimEvidence(record, nowMs);
  return {
    slot: slot.index,
    generation: slot.cells[slot.base + kGeneration] as number,
    takenAtMs: nowMs,
    method: subject.method,
    route: nameOf(record, subject, problems) ?? record.route ?? path,
    // With a pattern the pattern says it all, and no parameter's value can leak.
    path: record.route ?? path,
    requestId: subject.requestId,
    traceId: subject.traceId,
    checkpoint: checkpointOf(record, stuck),
    trail: trailEvidence(record, stuck, nowMs),
    stacks: shown.map(shownFrames),
    awaits: shown.map(
      (stack): DumpAwait => ({
        ageMs: stack.ageMs,
        own: stack.own,
        alsoAwaitedBy: requestIds(stack, record),
        ...(stack.frames.length === 0 ? { created: true } : {}),
      }),
    ),
    omittedAwaits: telling.length - shown.length,
    youngestOwnMs: youngestOwnMs(stacks),
    layer: layerEvidence(record, stuck, nowMs),
    error: errorEvidence(record, problems !== undefined),
    client,
    outstanding: record.owner.seesAwaits ? record.outstanding : undefined,
    pending: stuck ? pendingResources(record, active) : undefined,
    // It waits, and V8 shows nothing of its own, whatever it shows beside that: the next one that does shall have more to show.
    notesPromises: stuck && record.outstanding > 0 && !record.capturesCreations && !telling.some(({ own }) => own),
    holds: claims.holds,
    waitsFor: [
      ...claims.waits,
      ...outboundWaits(record, stacks, found, nowMs),
      ...(record.watched?.waits(nowMs) ?? []),
      ...sharedWaits(stacks, record),
      ...(client === undefined ? [] : clientWaits(client)),
    ],
    openEnded,
  };
}

/** Who waits; or, where V8 shows nothing of that, where the promise was made that it waits for. */
function shownFrames({ frames, created }: AwaitStack): DumpFrame[] {
  if (frames.length > 0) return frames.map((frame) => ({ ...frame }));
  return (created ?? []).map((frame) => ({ ...frame, async: false }));
}

function nameOf(record: RequestRecord, subject: Subject, problems: ProblemReporter | undefined): string | undefined {
  if (problems === undefined) return undefined;
  try {
    return subject.nameBy(record.rules);
  } catch (error) {
    problems.report(
      new HangwatchError('HANGWATCH_ERR_CALLBACK', `routeName threw: ${messageOf(error)}`, { cause: error }),
    );
    return undefined;
  }
}

/** The place is looked up for stuck requests only: it takes a debugger session. */
function checkpointOf(record: RequestRecord, stuck: boolean): RequestEvidence['checkpoint'] {
  const { site } = record;
  if (site === undefined) return { label: 'request entered' };
  const place = stuck ? site.place() : undefined;
  return { ...place, label: site.label };
}

/** Numbers of other requests that wait for the same promise, a bounded number of them. */
function requestIds(stack: AwaitStack, record: RequestRecord): number[] {
  const ids = new Set<number>();
  for (const other of stack.alsoAwaitedBy) {
    if (other !== record && isRequest(other)) ids.add(other.id);
    if (ids.size === NAMED_WAITERS) break;
  }
  return [...ids];
}

const isRequest = (context: AwaitContext): context is RequestRecord =>
  context instanceof RequestRecord && context.slot !== undefined;

function sharedWaits(stacks: readonly AwaitStack[], record: RequestRecord): DumpWait[] {
  return stacks.flatMap((stack) => {
    const others = requestIds(stack, record);
    if (others.length === 0) return [];
    const names =
      others
        .slice(0, 8)
        .map((id) => `#${id}`)
        .join(', ') + (others.length > 8 ? ` and ${others.length - 8} more` : '');
    return [
      {
        type: 'shared-promise',
        label: `a promise that ${names} wait${others.length === 1 ? 's' : ''} for too`,
        sinceMs: stack.ageMs,
      },
    ];
  });
}

import type { DumpRequestVerdict, DumpWait, Evidence } from '@hangwatch/protocol';
import type { RequestEvidence } from '../../shared/worker-protocol.ts';
import type { Suspicion } from '../table/scanner.ts';
import type { WaitVerdict } from '../wait-graph/wait-verdicts.ts';
import { clientStalled } from './client-stalled.ts';
import { seconds } from './duration-text.ts';
import { layerEnd, layerName, noResponse } from './no-response.ts';
import { outboundExplanation } from './outbound-explanation.ts';
import { placeOf, shortPathsBelow } from './places.ts';

/** What is known when a request is judged. Times in milliseconds. */
export interface Case {
  readonly suspicion: Suspicion;
  readonly timeoutMs: number;
  /** Since anything in its context moved. */
  readonly idleMs: number;
  /** Since it was itself seen to advance. */
  readonly stalledMs: number;
  /** Since an outbound call of its context finished. */
  readonly outboundIdleMs: number;
  readonly elapsedMs: number;
  /** How much an await's age may be too large: ages begin at the clock's last tick before the await. */
  readonly toleranceMs: number;
  /** Working folder of the process: places below it are named relative to it. */
  readonly cwd: string;
  /** `undefined`: the main thread did not answer. */
  readonly evidence: RequestEvidence | undefined;
  /** What the wait-for graph says of it. */
  readonly waiting?: WaitVerdict | undefined;
}

/** `stuck` with why, or `acquitted` until something changes or `againInMs` have passed. */
export type Judgement =
  | { readonly stuck: true; readonly verdict: DumpRequestVerdict }
  | { readonly stuck: false; readonly againInMs: number };

/** Strongest first. */
export const EVIDENCE_ORDER: readonly Evidence[] = [
  'proven-cycle',
  'leaked',
  'pool-exhausted',
  'no-response',
  'client-stalled',
  'waiting-outbound',
  'no-progress',
  'chain-stalled',
  'slow',
];

/** Judges one request. A pure function from evidence to verdict. */
export function diagnose(facts: Case): Judgement {
  const { evidence, suspicion, timeoutMs } = facts;
  if (evidence?.openEnded === true) return { stuck: false, againInMs: timeoutMs };
  if (facts.waiting?.proven === true) return { stuck: true, verdict: facts.waiting.verdict };
  if (suspicion === 'still') return still(facts);
  if (suspicion === 'slow') return slow(facts);
  // Something moves in its context, and the request itself does not advance: is it the request, or its background work?
  if (evidence === undefined) return { stuck: false, againInMs: timeoutMs };
  const own = evidence.youngestOwnMs;
  const stalledMs = own === undefined ? Math.min(facts.stalledMs, facts.outboundIdleMs) : own - facts.toleranceMs;
  if (stalledMs < timeoutMs) return { stuck: false, againInMs: Math.max(1, timeoutMs - stalledMs) };
  // What moved last was the beginning of its own await: it stands still altogether, and is called so once the timeout is over.
  if (own !== undefined && own <= facts.idleMs + 2 * facts.toleranceMs) {
    return { stuck: false, againInMs: Math.max(1, timeoutMs - facts.idleMs) };
  }
  const cause = claimed(facts, stalledMs) ?? outbound(facts, stalledMs);
  if (cause !== undefined) return cause;
  const ended = layerEnd(evidence, shortPathsBelow(facts.cwd));
  if (own === undefined && ended !== undefined && evidence.client !== undefined) {
    const summary = `is not answered: ${ended}; promises in its context go on`;
    return { stuck: true, verdict: { evidence: 'chain-stalled', summary } };
  }
  return stuck(
    'chain-stalled',
    facts,
    own === undefined
      ? `has not advanced for ${seconds(stalledMs)}, while promises in its context go on (no await leads to its handler)`
      : `stands still for ${seconds(stalledMs)}, while other work in its context goes on`,
  );
}

/** It stands still because of a lock or a pool, whose turn it was to wait for when it came to stand. */
function claimed({ waiting, toleranceMs }: Case, stalledMs: number): Judgement | undefined {
  if (waiting === undefined || waiting.sinceMs < stalledMs - toleranceMs) return undefined;
  return { stuck: true, verdict: waiting.verdict };
}

/** It stands still because something outside has not answered, if that is so. */
function outbound(facts: Case, stalledMs: number): Judgement | undefined {
  const { evidence, toleranceMs, cwd } = facts;
  const call = outboundExplanation(evidence?.waitsFor ?? [], stalledMs, evidence?.youngestOwnMs, toleranceMs);
  if (call === undefined) return undefined;
  // That it waits for the call is likely, and not known: it was under way when the request came to stand.
  const under = `with ${call.label}, under way for ${seconds(call.sinceMs)}`;
  const summary = `has stood still for ${seconds(stalledMs)}, ${under}${whereOf(evidence, cwd, call)}`;
  return { stuck: true, verdict: { evidence: 'waiting-outbound', summary } };
}

/** It moves: round and round? */
function slow(facts: Case): Judgement {
  const what = `moves, and has not finished after ${seconds(facts.elapsedMs)}`;
  const [first, second, ...more] = facts.evidence?.seenAt ?? [];
  if (first === undefined || second === undefined) return stuck('slow', facts, what);
  const short = shortPathsBelow(facts.cwd);
  const named = [first, second].map(
    ({ frame }) => `${frame.function} (${short(frame.file)}:${frame.line}:${frame.column})`,
  );
  const others = more.length === 0 ? '' : ` and ${more.length} more`;
  const turns = facts.evidence?.seenByTurns === true ? ' by turns' : '';
  return {
    stuck: true,
    verdict: { evidence: 'slow', summary: `${what}: seen${turns} in ${named.join(' and ')}${others}` },
  };
}

/** Nothing moves: who is it that does not? */
function still(facts: Case): Judgement {
  const { evidence, cwd } = facts;
  if (evidence !== undefined) {
    const client = clientStalled(evidence);
    if (client !== undefined) return { stuck: true, verdict: { evidence: 'client-stalled', summary: client } };
    const unanswered = noResponse(evidence, shortPathsBelow(cwd));
    if (unanswered !== undefined) return { stuck: true, verdict: { evidence: 'no-response', summary: unanswered } };
  }
  return (
    claimed(facts, facts.idleMs) ??
    outbound(facts, facts.idleMs) ??
    stuck('no-progress', facts, `has made no progress for ${seconds(facts.idleMs)}`)
  );
}

function stuck(evidence: Evidence, facts: Case, what: string): Judgement {
  return { stuck: true, verdict: { evidence, summary: `${what}${whereOf(facts.evidence, facts.cwd)}` } };
}

/** Where, and what for unless that is `said`: the innermost application frame, or else the layer or the last checkpoint. */
function whereOf(evidence: RequestEvidence | undefined, cwd: string, said?: DumpWait): string {
  const short = shortPathsBelow(cwd);
  if (evidence === undefined) return '; the main thread did not answer, so where is not known';
  const place = placeOf(evidence.stacks);
  const wait = evidence.waitsFor.find(({ type }) => type !== 'shared-promise' && type !== 'client');
  const waiting = wait === undefined || said !== undefined ? '' : `, waiting for ${wait.label}`;
  if (place !== undefined)
    return `: suspended in ${place.function} (${short(place.file)}:${place.line}:${place.column})${waiting}`;
  const { checkpoint, layer, outstanding } = evidence;
  if (layer?.outcome === 'pending')
    return `: ${layerName(layer, short)} returned a promise ${seconds(layer.returnedMs ?? 0)} ago that has not settled${waiting}`;
  const ended = layerEnd(evidence, short);
  if (ended !== undefined) return `: ${ended}${waiting}`;
  const { label, file, line } = checkpoint;
  const awaits = outstanding === 0 ? '; no await is pending' : '';
  return ` since ${label}${file === undefined ? '' : ` (${short(file)}:${line})`}${awaits}${waiting}`;
}

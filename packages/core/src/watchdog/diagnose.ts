import type { DumpRequestVerdict, DumpWait, Evidence } from '@hangwatch/protocol';
import type { RequestEvidence } from '../shared/worker-protocol.ts';
import { outboundExplanation } from './outbound-explanation.ts';
import { placeOf } from './places.ts';
import type { Suspicion } from './scanner.ts';

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
}

/** `stuck` with why, or `acquitted` until something changes or `againInMs` have passed. */
export type Judgement =
  | { readonly stuck: true; readonly verdict: DumpRequestVerdict }
  | { readonly stuck: false; readonly againInMs: number };

/** Strongest first. */
export const EVIDENCE_ORDER: readonly Evidence[] = ['waiting-outbound', 'no-progress', 'chain-stalled', 'slow'];

/** Judges one request. A pure function from evidence to verdict. */
export function diagnose(facts: Case): Judgement {
  const { evidence, suspicion, timeoutMs } = facts;
  if (evidence?.openEnded === true) return { stuck: false, againInMs: timeoutMs };
  if (suspicion === 'still') {
    return (
      outbound(facts, facts.idleMs) ?? stuck('no-progress', facts, `has made no progress for ${seconds(facts.idleMs)}`)
    );
  }
  if (suspicion === 'slow')
    return stuck('slow', facts, `moves, and has not finished after ${seconds(facts.elapsedMs)}`);
  // Something moves in its context, and the request itself does not advance: is it the request, or its background work?
  if (evidence === undefined) return { stuck: false, againInMs: timeoutMs };
  const own = evidence.youngestOwnMs;
  const stalledMs = own === undefined ? Math.min(facts.stalledMs, facts.outboundIdleMs) : own - facts.toleranceMs;
  if (stalledMs < timeoutMs) return { stuck: false, againInMs: Math.max(1, timeoutMs - stalledMs) };
  // What moved last was the beginning of its own await: it stands still altogether, and is called so once the timeout is over.
  if (own !== undefined && own <= facts.idleMs + 2 * facts.toleranceMs) {
    return { stuck: false, againInMs: Math.max(1, timeoutMs - facts.idleMs) };
  }
  return (
    outbound(facts, stalledMs) ??
    stuck(
      'chain-stalled',
      facts,
      own === undefined
        ? `has not advanced for ${seconds(stalledMs)}, while promises in its context go on (no await leads to its handler)`
        : `stands still for ${seconds(stalledMs)}, while other work in its context goes on`,
    )
  );
}

/** It stands still because something outside has not answered, if that is so. */
function outbound(facts: Case, stalledMs: number): Judgement | undefined {
  const { evidence, toleranceMs, cwd } = facts;
  const call = outboundExplanation(evidence?.waitsFor ?? [], stalledMs, evidence?.youngestOwnMs, toleranceMs);
  if (call === undefined) return undefined;
  const summary = `has been waiting for ${seconds(call.sinceMs)} for ${call.label}${whereOf(evidence, cwd, call)}`;
  return { stuck: true, verdict: { evidence: 'waiting-outbound', summary } };
}

function stuck(evidence: Evidence, facts: Case, what: string): Judgement {
  return { stuck: true, verdict: { evidence, summary: `${what}${whereOf(facts.evidence, facts.cwd)}` } };
}

/** Where, and what for unless that is `said`: the innermost application frame, or else the last checkpoint. */
function whereOf(evidence: RequestEvidence | undefined, cwd: string, said?: DumpWait): string {
  const short = (path: string) => (path.startsWith(`${cwd}/`) ? path.slice(cwd.length + 1) : path);
  if (evidence === undefined) return '; the main thread did not answer, so where is not known';
  const place = placeOf(evidence.stacks);
  const wait = evidence.waitsFor.find(({ type }) => type !== 'shared-promise');
  const waiting = wait === undefined || said !== undefined ? '' : `, waiting for ${wait.label}`;
  if (place !== undefined)
    return `: suspended in ${place.function} (${short(place.file)}:${place.line}:${place.column})${waiting}`;
  const { label, file, line } = evidence.checkpoint;
  return ` since ${label}${file === undefined ? '' : ` (${short(file)}:${line})`}; no await is pending${waiting}`;
}

/** A time as a person says it: `850 ms`, `10.3 s`, `5.2 min`. */
export function seconds(ms: number): string {
  if (ms < 1_000) return `${Math.round(ms)} ms`;
  if (ms < 120_000) return `${(ms / 1_000).toFixed(1)} s`;
  return `${(ms / 60_000).toFixed(1)} min`;
}

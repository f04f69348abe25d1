import type { CapturedStack } from '@hangwatch/async-hooks-helpers';
import type { RequestRecord } from '../request-record.ts';
import type { TrackedResource } from './tracked-resource.ts';

/** What remains known of a request that has ended without giving back what it claimed. */
interface EndedRequest {
  readonly id: number;
  readonly name: string;
}

/**
 * One claim: first it waits, then it holds, and then it is over. A link of two lists, its resource's and its request's; once it is over it is in
 * neither and keeps nothing alive.
 */
export class ClaimRecord {
  state: 'waiting' | 'held' | 'over' = 'waiting';
  readonly resource: TrackedResource;
  readonly amount: number;
  /** Whose it is; `undefined` outside any request, and once that has ended. */
  record: RequestRecord | undefined;
  ended: EndedRequest | undefined = undefined;
  /** When the wait began, and then the hold. */
  sinceClock: number;
  /** How long the wait lasts at most. */
  readonly timeoutMs: number | undefined;
  /** What its owner awaits until it is granted; of a job of a queue, until that is done. */
  promise: object | undefined = undefined;
  /** What a library awaits itself, which settles with it. */
  inner: object | undefined = undefined;
  /** What it holds is held by code that was called in its request's context, and ends with it. */
  runs = false;
  /** Whoever ends it awaits what it has called in its request's context: nobody else gets at the release. */
  readonly scoped: boolean;
  captured: CapturedStack | undefined;
  earlier: ClaimRecord | undefined = undefined;
  later: ClaimRecord | undefined = undefined;
  #older: ClaimRecord | undefined = undefined;
  #newer: ClaimRecord | undefined = undefined;

  constructor(
    resource: TrackedResource,
    record: RequestRecord | undefined,
    amount: number,
    sinceClock: number,
    timeoutMs: number | undefined,
    captured: CapturedStack | undefined,
    scoped = false,
  ) {
    this.resource = resource;
    this.record = record;
    this.amount = amount;
    this.sinceClock = sinceClock;
    this.timeoutMs = timeoutMs;
    this.captured = captured;
    this.scoped = scoped;
    if (record === undefined) return;
    const { claims } = record;
    this.#older = claims;
    if (claims !== undefined) claims.#newer = this;
    record.claims = this;
  }

  /** Out of its request's list. */
  leaveRequest(): void {
    const { record } = this;
    if (record === undefined) return;
    if (this.#newer !== undefined) this.#newer.#older = this.#older;
    else record.claims = this.#older;
    if (this.#older !== undefined) this.#older.#newer = this.#newer;
    this.#older = undefined;
    this.#newer = undefined;
    this.record = undefined;
  }

  /** The request is over, and the claim is not. */
  requestEnded(ended: EndedRequest): void {
    this.leaveRequest();
    this.ended = ended;
  }

  /** The claims of a request, newest first. */
  static *of(record: RequestRecord): Generator<ClaimRecord, void, void> {
    for (let claim = record.claims; claim !== undefined; claim = claim.#older) yield claim;
  }
}

/** The request is over: its claims are nobody's in flight, and say whose they were. */
export function endClaimsOf(record: RequestRecord): void {
  const path = record.route ?? record.subject?.shownPath ?? '';
  const ended = { id: record.id, name: `${record.method} ${path}` };
  for (let claim = record.claims; claim !== undefined; claim = record.claims) claim.requestEnded(ended);
}

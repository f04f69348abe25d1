import { captureStack } from '@hangwatch/async-hooks-helpers';
import { CAPTURES_PER_SECOND } from '../../shared/slot-layout.ts';
import { existingTracker, expectClaims } from '../process/process-tracker.ts';
import { ClaimRecord } from './claim-record.ts';
import type { Claim, ClaimOptions, Resource } from './resource.ts';

/** Claims of one resource that are kept: what is never given back must not add up without end. */
const MAX_CLAIMS = 10_000;
/** Awaits of shared promises need captured stacks more than claims do: of what may be captured, half is left for them. */
const KEPT_BUDGET = CAPTURES_PER_SECOND / 2;
const SITE_FRAMES = 10;
/** So many readers that nobody has more: what a writer takes. */
export const ALL_READERS = 2 ** 31;

/** What a {@link Resource} is made of once its options are checked. */
export interface ResourceTraits {
  readonly name: string;
  readonly type: string;
  readonly capacity: number;
  readonly shared: boolean;
  readonly reentrant: boolean;
  readonly fair: boolean;
  readonly handedOver: boolean;
  readonly cancellable: boolean;
  readonly inUse: (() => number) | undefined;
}

/** A resource with its claims, in the order in which they came. Whoever drops the resource drops them with it. */
export class TrackedResource implements Resource {
  readonly traits: ResourceTraits;
  capacity: number;
  /** Something of it was released in another request than the one that held it, or has been lost sight of: its holders are not to be trusted. */
  isDoubtful = false;
  #first: ClaimRecord | undefined = undefined;
  #last: ClaimRecord | undefined = undefined;
  #count = 0;

  constructor(traits: ResourceTraits) {
    this.traits = traits;
    this.capacity = traits.capacity;
    this.isDoubtful = traits.handedOver;
    expectClaims();
  }

  get name(): string {
    return this.traits.name;
  }

  claim(options?: ClaimOptions): Claim {
    const tracker = existingTracker();
    if (tracker === undefined) return NO_CLAIM;
    if (this.#count >= MAX_CLAIMS) {
      this.isDoubtful = true;
      return NO_CLAIM;
    }
    const all = this.traits.shared && options?.shared !== true;
    const { captureBudget, clock } = tracker;
    const left = captureBudget[0] as number;
    let captured: ClaimRecord['captured'];
    if (left > KEPT_BUDGET) {
      captureBudget[0] = left - 1;
      captured = captureSite(this.claim);
    }
    const record = new ClaimRecord(
      this,
      tracker.current(),
      all ? ALL_READERS : (options?.amount ?? 1),
      clock[0] as number,
      options?.timeoutMs,
      captured,
      options?.scoped === true,
    );
    this.#link(record);
    return new OpenClaim(record);
  }

  /** Its claims, in the order in which they came. */
  *claims(): Generator<ClaimRecord, void, void> {
    for (let claim = this.#first; claim !== undefined; claim = claim.later) yield claim;
  }

  #link(claim: ClaimRecord): void {
    claim.earlier = this.#last;
    if (this.#last === undefined) this.#first = claim;
    else this.#last.later = claim;
    this.#last = claim;
    this.#count += 1;
  }

  /** @internal */
  unlink(claim: ClaimRecord): void {
    if (claim.earlier === undefined) this.#first = claim.later;
    else claim.earlier.later = claim.later;
    if (claim.later === undefined) this.#last = claim.earlier;
    else claim.later.earlier = claim.earlier;
    claim.earlier = undefined;
    claim.later = undefined;
    this.#count -= 1;
  }
}

/** Near the end of the stack one more call may be too many: the application's own error will come of that. */
function captureSite(above: (...args: never[]) => unknown): ClaimRecord['captured'] {
  try {
    return captureStack(above, SITE_FRAMES);
  } catch {
    return undefined;
  }
}

class OpenClaim implements Claim {
  readonly #claim: ClaimRecord;

  constructor(claim: ClaimRecord) {
    this.#claim = claim;
  }

  waitsFor<T>(promise: T): T {
    const claim = this.#claim;
    if (claim.state === 'over' || typeof promise !== 'object' || promise === null) return promise;
    if (claim.promise !== undefined) claim.inner = claim.promise;
    claim.promise = promise;
    return promise;
  }

  acquired(): void {
    const claim = this.#claim;
    if (claim.state !== 'waiting') return;
    claim.state = 'held';
    claim.promise = undefined;
    claim.inner = undefined;
    claim.sinceClock = existingTracker()?.clock[0] ?? claim.sinceClock;
  }

  run<A extends unknown[], R>(fn: (...args: A) => R, ...args: A): R {
    const claim = this.#claim;
    const { promise } = claim;
    this.acquired();
    const { record } = claim;
    if (record?.slot === undefined) return fn(...args);
    // Whoever awaits the job awaits it through the queue, and the job itself is awaited in the request's context.
    claim.promise = promise;
    claim.runs = true;
    return record.owner.run(record, fn, ...args);
  }

  end(): void {
    const claim = this.#claim;
    const { record, resource } = claim;
    if (claim.state === 'over') return;
    // Released by somebody else than its holder: then so may be what others hold.
    if (claim.state === 'held' && record !== undefined && existingTracker()?.current() !== record)
      resource.isDoubtful = true;
    claim.state = 'over';
    // Whoever keeps its releaser keeps the claim, and nothing through it.
    claim.captured = undefined;
    claim.promise = undefined;
    claim.inner = undefined;
    resource.unlink(claim);
    claim.leaveRequest();
  }
}

/** Where nothing is tracked, nothing is claimed. */
const NO_CLAIM: Claim = Object.freeze({
  waitsFor: <T>(promise: T): T => promise,
  acquired: () => undefined,
  run: <A extends unknown[], R>(fn: (...args: A) => R, ...args: A): R => fn(...args),
  end: () => undefined,
});

import { describeValue } from '../evidence/describe-value.ts';
import { optionError } from '../options/option-error.ts';
import { labelText } from '../places/label-text.ts';
import { existingTracker } from '../process/process-tracker.ts';
import { ALL_READERS, TrackedResource } from './tracked-resource.ts';

/** What {@link resource} can be told. */
export interface ResourceOptions {
  /**
   * What kind of thing it is, in a word: `lock`, `pool`, `queue`.
   *
   * @default `lock` where one can hold it at a time, otherwise `pool`
   */
  readonly type?: string;
  /** How much of it can be held at once. May be changed later. @default 1 */
  readonly capacity?: number;
  /** Readers and writers: any number of claims with `shared: true`, or a single one without. @default false */
  readonly shared?: boolean;
  /** Who holds some of it gets more without waiting for itself. @default false */
  readonly reentrant?: boolean;
  /** Nobody is served before those who came earlier. @default false */
  readonly fair?: boolean;
  /** What one has acquired others may release, as where it is used to signal: nothing is proven by it. @default false */
  readonly handedOver?: boolean;
  /** Whether there is a way to have somebody who waits give up, other than its time-out. @default true */
  readonly cancellable?: boolean;
  /**
   * How much of it is held, as the thing itself counts. Asked only when a hang is judged: where it is not what the claims say, nothing is proven. Of
   * readers and writers: how many of them hold it.
   */
  readonly inUse?: () => number;
}

/** What {@link Resource.claim} can be told. */
export interface ClaimOptions {
  /** How much is claimed. @default 1 */
  readonly amount?: number | undefined;
  /** A reader's claim. @default false */
  readonly shared?: boolean | undefined;
  /** After so many milliseconds the wait is given up. @default never */
  readonly timeoutMs?: number | undefined;
  /**
   * It is ended by code that awaits what it has called in the claimant's context, and that gives the release to nobody: `try { await fn() } finally {
   * claim.end() }`. Then nothing but what the claimant awaits can release it. @default false
   */
  readonly scoped?: boolean | undefined;
}

/** A lock, pool or queue whose claims hangwatch knows of. */
export interface Resource {
  readonly name: string;
  /** How much of it can be held at once. */
  capacity: number;
  /** The current request, or whoever runs outside any, wants some of it, and waits from now on. Never throws. */
  claim(options?: ClaimOptions): Claim;
}

/** Somebody waits for a resource, and then holds it. All methods are idempotent, and none throws of its own. */
export interface Claim {
  /**
   * What the claimant awaits until it is granted. A proof needs it: only who awaits nothing else is known to stand still. The promise is
   * returned as it is. Called twice, the first is one that the library awaits as well, and that settles with the second.
   */
  waitsFor<T>(promise: T): T;
  /** It has been granted, and is held from now on. */
  acquired(): void;
  /**
   * For queues of jobs: it has been granted, and what it holds is held by `fn`, which is called now, in the claimant's context. `fn` has to await what
   * it calls itself, and to end the claim.
   */
  run<A extends unknown[], R>(fn: (...args: A) => R, ...args: A): R;
  /** It has been released, or the wait given up. */
  end(): void;
}

/**
 * Makes a lock, pool or queue of your own known: reports then say who waits for it and who holds it, and prove deadlocks. Each claim costs an object or
 * two and no clock; without hangwatch running it costs a look. `@hangwatch/locks` does this for well-known libraries.
 *
 * @param name short and without secrets: it is in reports
 * @throws {HangwatchError} `HANGWATCH_ERR_OPTION` when an option is wrong
 * @example
 * const printer = resource('printer');
 *
 * async function print(page) {
 *   const claim = printer.claim();
 *   try {
 *     await claim.waitsFor(queue.turn());
 *     claim.acquired();
 *     await send(page);
 *   } finally {
 *     claim.end();
 *     queue.next();
 *   }
 * }
 */
export function resource(name: string, options: ResourceOptions = {}): Resource {
  if (typeof name !== 'string') throw optionError('name', `must be a string, got ${describeValue(name)}`);
  const { shared = false, reentrant = false, fair = false, handedOver = false, cancellable = true, inUse } = options;
  const capacity = shared ? ALL_READERS : (options.capacity ?? 1);
  if (typeof capacity !== 'number' || !(capacity > 0))
    throw optionError('options.capacity', `must be a number above 0, got ${describeValue(capacity)}`);
  const type = options.type ?? (capacity === 1 || shared ? 'lock' : 'pool');
  if (typeof type !== 'string') throw optionError('options.type', `must be a string, got ${describeValue(type)}`);
  if (inUse !== undefined && typeof inUse !== 'function')
    throw optionError('options.inUse', `must be a function, got ${describeValue(inUse)}`);
  return new TrackedResource({
    name: labelText(name),
    type: labelText(type),
    capacity,
    shared: shared === true,
    reentrant: reentrant === true,
    fair: fair === true,
    handedOver: handedOver === true,
    cancellable: cancellable !== false,
    inUse,
  });
}

/**
 * Calls `fn` as if outside any request. For what a lock's own code awaits while its user waits: the user's awaits are then all that its request
 * awaits. The application's own `AsyncLocalStorage` is left as it is.
 *
 * @example
 * const granted = withoutRequest(() => mutex.acquire());
 */
export function withoutRequest<T>(fn: () => T): T {
  const tracker = existingTracker();
  return tracker === undefined ? fn() : tracker.runOutside(fn);
}

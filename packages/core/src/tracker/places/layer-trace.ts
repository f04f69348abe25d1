import { types } from 'node:util';
import { AwaitContext, type OwnObserver, ownAwait, ownAwaitIgnored } from '@hangwatch/async-hooks-helpers';
import type { Site } from './site.ts';

/**
 * How far the layer that was entered last has come. `unknown` where its end cannot be seen: it returned a promise that somebody else
 * awaits, or a thenable that must not be touched, or it is a phase of the framework and no function.
 */
export type LayerOutcome = 'running' | 'returned' | 'pending' | 'fulfilled' | 'rejected' | 'threw' | 'unknown';

/**
 * Who looks at what a layer returned: the framework, so that our promise goes in its place (`awaited`); nobody (`ignored`); or the
 * framework, which awaits the whole chain as our own already (`chained`).
 */
export type LayerKind = 'awaited' | 'ignored' | 'chained';

/** The token of the promise of a whole chain of layers, rather than of one. */
export const CHAIN = -1;

/**
 * A context that knows which layer of the framework it entered last, and what became of that: a few stores each, no clock but the shared
 * one. Settlement is seen by the function that awaits the layer's promise anyway; nothing is added to the promise. Times are the clock's,
 * as int32.
 */
export class LayerTrace extends AwaitContext implements OwnObserver {
  readonly #clock: Uint32Array;
  /** The layer that was entered last. */
  layer: Site | undefined = undefined;
  outcome: LayerOutcome = 'unknown';
  enteredClock = 0;
  returnedClock = 0;
  settledClock = 0;
  /** The whole chain of layers has ended, and not only the last one. */
  chainEnded = false;
  /** What the last layer's promise was rejected with. */
  rejection: unknown = undefined;
  /** The promise that the framework has got in the place of the last layer's own, until that settles. */
  ownPromise: object | undefined = undefined;
  #entry = 0;

  /** @param number what the context is called in the shared header's RUNNING */
  constructor(cells: Uint32Array, sequenceAt: number, clock: Uint32Array, number = 0) {
    super(cells, sequenceAt, number);
    this.#clock = clock;
  }

  /** @returns which entry it is: what is later told of an earlier one says nothing of where the request is */
  protected enterLayer(site: Site): number {
    this.layer = site;
    this.outcome = 'running';
    this.enteredClock = (this.#clock[0] as number) | 0;
    this.rejection = undefined;
    this.#entry = (this.#entry + 1) & 0x3fff_ffff;
    return this.#entry;
  }

  /** A phase that is no function of its own: it has been reached, and its end is not seen. */
  protected enterPhaseAt(site: Site): void {
    this.enterLayer(site);
    this.outcome = 'unknown';
  }

  /** @returns what the layer returned, or our own promise in its place */
  protected leaveLayer<R>(entry: number, kind: LayerKind, result: R, fn: unknown): R {
    if (entry === this.#entry) {
      this.returnedClock = (this.#clock[0] as number) | 0;
      this.outcome = 'returned';
    }
    // Most middleware returns nothing.
    if (result === undefined) return result;
    if (kind === 'awaited' && types.isPromise(result)) {
      if (entry === this.#entry) this.outcome = 'pending';
      const own = ownAwait(result, this, entry);
      this.ownPromise = own;
      return own;
    }
    const followed = kind === 'ignored' && ownAwaitIgnored(result, this, entry, types.isAsyncFunction(fn));
    if (entry === this.#entry && this.outcome === 'returned') {
      if (followed) this.outcome = 'pending';
      else if (isThenable(result)) this.outcome = 'unknown';
    }
    return result;
  }

  protected layerThrew(entry: number): void {
    if (entry !== this.#entry) return;
    this.returnedClock = (this.#clock[0] as number) | 0;
    this.outcome = 'threw';
  }

  /** @internal */
  ownFulfilled(token: number): void {
    if (!this.#settles(token)) return;
    this.outcome = 'fulfilled';
  }

  /** @internal */
  ownRejected(token: number, error: unknown): void {
    if (!this.#settles(token)) return;
    this.outcome = 'rejected';
    this.rejection = error;
  }

  /** The request is over: keeps nothing alive. */
  protected forgetLayers(): void {
    this.layer = undefined;
    this.rejection = undefined;
    this.ownPromise = undefined;
  }

  #settles(token: number): boolean {
    // A layer's promise may outlive its request by hours.
    if (this.released || (token !== CHAIN && token !== this.#entry)) return false;
    this.ownPromise = undefined;
    this.settledClock = (this.#clock[0] as number) | 0;
    this.chainEnded = token === CHAIN;
    return true;
  }
}

/** Whether somebody may wait for it. `then` itself is not read: on a query builder a getter might run the query. */
function isThenable(value: unknown): boolean {
  if ((typeof value !== 'object' && typeof value !== 'function') || value === null) return false;
  try {
    return 'then' in value;
  } catch {
    return true;
  }
}

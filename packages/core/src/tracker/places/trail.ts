import type { Site } from './site.ts';

/** Places kept of one request: a power of two. */
export const TRAIL_LENGTH = 16;
const MASK = TRAIL_LENGTH - 1;

/** One place that a request has passed, as a dump reads it. */
export interface TrailEntry {
  readonly site: Site;
  /** The shared clock when it was passed. */
  readonly atMs: number;
  /** What `checkpoint(label, data)` kept of its data; see `keep-data.ts`. */
  readonly data: unknown;
}

/**
 * The last places that a request has passed: a ring that belongs to the slot and not to the request, so that a request allocates nothing
 * for it. Passing a place is three stores.
 */
export class Trail {
  readonly #sites: (Site | undefined)[] = new Array<Site | undefined>(TRAIL_LENGTH).fill(undefined);
  readonly #times = new Uint32Array(TRAIL_LENGTH);
  /** Made when the first data comes: most applications give none. */
  #data: unknown[] | undefined = undefined;
  #count = 0;

  pass(site: Site, atMs: number): void {
    const at = this.#count & MASK;
    this.#sites[at] = site;
    this.#times[at] = atMs;
    if (this.#data !== undefined) this.#data[at] = undefined;
    this.#count += 1;
  }

  /** Adds data to the place that was passed last. */
  attach(data: unknown): void {
    if (this.#count === 0) return;
    this.#data ??= new Array<unknown>(TRAIL_LENGTH).fill(undefined);
    this.#data[(this.#count - 1) & MASK] = data;
  }

  /** The last `most` places, in the order in which they were passed. */
  last(most: number): TrailEntry[] {
    const entries: TrailEntry[] = [];
    for (let i = Math.max(0, this.#count - Math.min(most, TRAIL_LENGTH)); i < this.#count; i++) {
      const site = this.#sites[i & MASK];
      if (site !== undefined) entries.push({ site, atMs: this.#times[i & MASK] ?? 0, data: this.#data?.[i & MASK] });
    }
    return entries;
  }

  /** Forgets everything, for the slot's next request. */
  clear(): void {
    this.#count = 0;
    this.#data?.fill(undefined);
  }
}

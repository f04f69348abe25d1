import { functionLocation } from '@hangwatch/async-hooks-helpers';

/** Any function may be a layer. */
export type AnyFunction = (...args: never[]) => unknown;

/** Where a site is, in the JavaScript that runs; counted from 1. */
export interface SitePlace {
  readonly file: string;
  readonly line: number;
  readonly column: number;
}

/** A place that requests pass: a framework's layer, hook or phase, or a `checkpoint(label)`. Made once, passed often. */
export class Site {
  readonly label: string;
  /** Interned label, as it stands in the shared table. */
  readonly id: number;
  readonly #fn: WeakRef<AnyFunction> | undefined;
  readonly #place: SitePlace | undefined;

  constructor(label: string, id: number, where?: AnyFunction | SitePlace) {
    this.label = label;
    this.id = id;
    this.#fn = typeof where === 'function' ? new WeakRef(where) : undefined;
    this.#place = typeof where === 'function' ? undefined : where;
  }

  /** Where it is, if that can be had. Looked up only when somebody asks: it takes a debugger session. */
  place(): SitePlace | undefined {
    if (this.#place !== undefined) return this.#place;
    const fn = this.#fn?.deref();
    return fn === undefined ? undefined : functionLocation(fn);
  }
}

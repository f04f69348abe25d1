import type { RequestRecord } from './request-record.ts';

/** Routes remembered; more of them hang than anybody reads. */
const MOST_ROUTES = 1_000;

/**
 * Routes whose requests note where they make their promises, because one of them hung where V8 has no await of its own to show: code that was
 * compiled to generators, or a promise made around a callback. Costs 1 to 2 microseconds a promise, and nothing while there are none.
 */
export class PromiseRoutes {
  readonly #routes = new Set<string>();

  has(record: RequestRecord): boolean {
    return this.#routes.size > 0 && this.#routes.has(nameOf(record));
  }

  add(record: RequestRecord): void {
    if (this.#routes.size < MOST_ROUTES) this.#routes.add(nameOf(record));
  }
}

/** Where no pattern is known, the path without what looks like a value. */
function nameOf({ subject, method, route }: RequestRecord): string {
  return `${method} ${route ?? subject?.shownPath ?? ''}`;
}

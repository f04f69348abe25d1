import type { Rules } from '../options/rules.ts';
import type { RequestRecord } from '../request-record.ts';
import { type RequestTimeout, timeoutsOf } from './server-timeouts.ts';

/** Timeouts of routes' code that are remembered: an application may make them up as it goes. */
const MOST_TIMEOUTS = 100;

/** A time-out that a framework has for one route. */
export interface RouteTimeout {
  readonly other: RequestTimeout;
  readonly method: string;
  readonly pattern: string;
  /** The timeout that the route's code gives to hangwatch. Milliseconds. */
  readonly timeoutMs: number | undefined;
}

/** Told of a timeout, and of the route that has it for itself. Milliseconds. */
type Check = (other: RequestTimeout, timeoutMs: number, route: string | undefined) => void;

/**
 * Has one registration's timeouts compared with the time-outs that end its requests: each when it is first seen, and all of them when either side
 * may have changed.
 */
export class OrderChecks {
  readonly #rules: Rules;
  readonly #check: Check;
  #server: unknown = undefined;
  /** What the code of routes says, and one route that says it. */
  readonly #ofCode = new Map<number, string | undefined>();
  readonly #ofRoutes: RouteTimeout[] = [];

  constructor(rules: Rules, check: Check) {
    this.#rules = rules;
    this.#check = check;
  }

  /** The server that the last request came from, while it listens. */
  get server(): unknown {
    return this.#server;
  }

  /** Requests come from this server. */
  meet(server: unknown): void {
    this.#server = server;
    this.#rules.serverTimeouts = timeoutsOf(server);
    this.#checkServer();
  }

  /** The server has closed: what is known of its time-outs holds for the requests that are left. */
  forget(server: unknown): void {
    if (this.#server === server) this.#server = undefined;
  }

  /** A framework ends requests of a route of its own accord. Once a route. */
  meetRoute(route: RouteTimeout): void {
    this.#ofRoutes.push(route);
    this.#checkRoute(route);
  }

  /** A request has a timeout of its own. Called for each such request: what is known costs one look-up. */
  uses(timeoutMs: number, { method, route: pattern }: Pick<RequestRecord, 'method' | 'route'>): void {
    if (this.#ofCode.has(timeoutMs) || this.#ofCode.size >= MOST_TIMEOUTS) return;
    const route = pattern === undefined ? pattern : `${method} ${pattern}`;
    this.#ofCode.set(timeoutMs, route);
    for (const other of this.#rules.serverTimeouts) this.#check(other, timeoutMs, route);
  }

  /** The rules have changed. Requests in flight are told after this, and say what they use now. */
  again(): void {
    this.#ofCode.clear();
    if (this.#server !== undefined) this.#rules.serverTimeouts = timeoutsOf(this.#server);
    this.#checkServer();
    for (const route of this.#ofRoutes) this.#checkRoute(route);
  }

  #checkServer(): void {
    const rules = this.#rules;
    for (const other of rules.serverTimeouts) {
      this.#check(other, rules.timeoutMs, undefined);
      for (const [name, { watch, timeoutMs }] of rules.routes)
        if (watch && timeoutMs !== undefined) this.#check(other, timeoutMs, name);
      for (const [timeoutMs, route] of this.#ofCode) this.#check(other, timeoutMs, route);
    }
  }

  #checkRoute({ other, method, pattern, timeoutMs }: RouteTimeout): void {
    const table = this.#rules.forRoute(method, pattern);
    if (table?.watch === false) return;
    const own = table?.timeoutMs ?? timeoutMs;
    this.#check(other, own ?? this.#rules.timeoutMs, own === undefined ? undefined : `${method} ${pattern}`);
  }
}

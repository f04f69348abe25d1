import type { HangwatchOptions, IgnoreRule } from '../../options.ts';
import type { IncomingRequest } from '../http/http-messages.ts';
import type { OrderChecks } from '../http/order-checks.ts';
import type { RequestTimeout } from '../http/server-timeouts.ts';
import type { RequestRecord } from '../request-record.ts';
import type { ResolvedOptions } from './resolve-options.ts';
import type { Level, RouteOverride } from './route-override.ts';

/** What {@link Rules.change} may change; what is `undefined` stays. */
export interface RuleChange {
  readonly timeoutMs: number | undefined;
  readonly maxDurationMs: number | undefined;
  readonly respondStatus: number | undefined;
  readonly abort: boolean | undefined;
  readonly level: Level | undefined;
  readonly ignore: readonly IgnoreRule[] | undefined;
  /** By `GET /export` or `/export`; `undefined`: as the code says. */
  readonly routes: ReadonlyMap<string, RouteOverride | undefined>;
}

/** What one registration decides for its own requests. It may change while they run. */
export class Rules {
  timeoutMs: number;
  maxDurationMs: number;
  respondStatus: number;
  abort: boolean;
  level: Level;
  ignore: readonly IgnoreRule[];
  readonly routeName: HangwatchOptions['routeName'];
  readonly errorMessages: boolean;
  /** Those of the server that the last request came from: a socket that has closed knows its server no more. */
  serverTimeouts: readonly RequestTimeout[] = [];
  /** Told of each of its requests that has left, while somebody waits for that. */
  onLeft: ((record: RequestRecord) => void) | undefined = undefined;
  /** Says where a timeout is too long; a task's has nothing to be compared with. */
  order: OrderChecks | undefined = undefined;
  readonly #routes = new Map<string, RouteOverride>();

  constructor(options: ResolvedOptions) {
    this.timeoutMs = options.timeoutMs;
    this.maxDurationMs = options.maxDurationMs;
    this.respondStatus = options.respondStatus;
    this.abort = options.abort;
    this.level = options.level;
    this.ignore = options.ignore;
    this.routeName = options.routeName;
    this.errorMessages = options.errorMessages;
    this.#setRoutes(options.routes);
  }

  /** Requests that are in flight have to be told: see `RequestRecord.applyRules`. */
  change(change: RuleChange): void {
    this.timeoutMs = change.timeoutMs ?? this.timeoutMs;
    this.maxDurationMs = change.maxDurationMs ?? this.maxDurationMs;
    this.respondStatus = change.respondStatus ?? this.respondStatus;
    this.abort = change.abort ?? this.abort;
    this.level = change.level ?? this.level;
    this.ignore = change.ignore ?? this.ignore;
    this.#setRoutes(change.routes);
    this.order?.again();
  }

  /** Routes with rules of their own, by `GET /export` or `/export`. */
  get routes(): ReadonlyMap<string, RouteOverride> {
    return this.#routes;
  }

  /** `false`: no route has rules of its own here, and nothing need be looked up. */
  get hasRoutes(): boolean {
    return this.#routes.size > 0;
  }

  /** Whether there is more to say of a request than its two thresholds. */
  get isSpecial(): boolean {
    return this.hasRoutes || this.respondStatus !== 0 || this.abort || this.level !== 'basic';
  }

  /** What is said of a route; the more particular name wins. */
  forRoute(method: string, route: string): RouteOverride | undefined {
    return this.#routes.get(`${method} ${route}`) ?? this.#routes.get(route);
  }

  /** Whether a request is not to be watched. What a predicate of the application throws is thrown. */
  ignores(request: IncomingRequest): boolean {
    return this.ignore.length > 0 && this.ignore.some((rule) => matches(rule, pathOf(request), request));
  }

  #setRoutes(routes: RuleChange['routes']): void {
    for (const [name, override] of routes) {
      if (override === undefined) this.#routes.delete(name);
      else this.#routes.set(name, override);
    }
  }
}

/** The path as it was sent, without its query. */
export function pathOf(request: IncomingRequest): string {
  const url = request.url ?? '';
  const end = url.search(/[?#]/);
  return end === -1 ? url : url.slice(0, end);
}

function matches(rule: IgnoreRule, path: string, request: IncomingRequest): boolean {
  if (typeof rule === 'string') return rule.endsWith('*') ? path.startsWith(rule.slice(0, -1)) : path === rule;
  if (rule instanceof RegExp) {
    // A `g` or `y` expression remembers where it stopped: it would match every second request.
    rule.lastIndex = 0;
    return rule.test(path);
  }
  return rule(request) === true;
}

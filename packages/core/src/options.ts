import type { Dump } from '@hangwatch/protocol';
import type { HangwatchError } from './errors.ts';
import type { IncomingRequest } from './tracker/http/http-messages.ts';
import type { RouteTable } from './tracker/options/resolve-routes.ts';
import type { Level } from './tracker/options/route-override.ts';

/**
 * Options of hangwatch. `timeout`, `maxDuration`, `ignore`, `routes`, `routeName`, `errorMessages`, `respond`, `abort`, `level` and `shutdownTimeout` belong to the registration that gives them;
 * the rest is process-wide, and the first registration decides.
 *
 * @example
 * app.use(hangwatch({ timeout: 10_000, collector: 'http://127.0.0.1:4747', service: 'shop' }));
 */
export interface HangwatchOptions {
  /** Milliseconds without progress after which a request is stuck. @default HANGWATCH_TIMEOUT, else 10_000 */
  readonly timeout?: number | undefined;
  /** Milliseconds after which a request that still moves is reported as slow; `false`: never. @default 300_000 */
  readonly maxDuration?: number | false | undefined;
  /** Milliseconds between two looks at the table. @default the smaller of 1_000 and a tenth of `timeout` */
  readonly scanInterval?: number | undefined;
  /**
   * Reports an event loop that has not turned for `threshold` milliseconds, while requests are in flight; `false`: never. `stack: false`: without
   * pausing the main thread (some 20 ms, once a block and minute) to read its stack. @default HANGWATCH_BLOCKED_LOOP, else { threshold: 1_000, stack: true }
   */
  readonly blockedLoop?: BlockedLoopOptions | false | undefined;
  /** Base URL of the collector, or several: the first that acknowledges gets the dump. None: reports go to stderr. @default HANGWATCH_COLLECTOR */
  readonly collector?: string | readonly string[] | undefined;
  /** Bearer token for the collector. @default HANGWATCH_TOKEN */
  readonly token?: string | undefined;
  /** Name of the application in reports. @default HANGWATCH_SERVICE, else npm's package name, else the main script's name */
  readonly service?: string | undefined;
  /** Version of the application in reports. @default npm's package version, else '' */
  readonly version?: string | undefined;
  /** Folder where reports wait while no collector can be reached. @default a private folder in the system's temporary folder */
  readonly spoolDir?: string | undefined;
  /** Requests that are not watched: paths (a trailing `*` matches any rest), regular expressions for the path, or a predicate. */
  readonly ignore?: IgnoreRule | readonly IgnoreRule[] | undefined;
  /**
   * Exceptions for routes, by the name that reports show: `GET /users/:id`, or `/users/:id` for every method. They win over what the route's code
   * says. On a server without routes the name is the path.
   */
  readonly routes?: RouteTable | undefined;
  /** Names what the route's pattern does not, such as a GraphQL operation. Called only when a report is made. */
  readonly routeName?: ((request: IncomingRequest) => string | undefined) | undefined;
  /**
   * Answer a stuck request with this status (500 to 599) in the application's place, if no headers are out; `false`: never. What the
   * application answers later is dropped. Routes may differ. @default false: its handler goes on, with whatever it holds
   */
  readonly respond?: number | false | undefined;
  /**
   * Abort `currentRequest().signal` of a request that is reported as stuck. Routes may differ. @default false: an aborted request leaves locks and
   * connections in a state that nobody has thought of
   */
  readonly abort?: boolean | undefined;
  /**
   * How much is noted of requests while they run: `resources` shows what callback code waits for, and costs every resource that is made.
   * Routes may differ. @default 'basic'
   */
  readonly level?: Level | undefined;
  /**
   * Puts the message of an error that a handler was rejected with into the report: its class and frames are there anyway. Messages may hold
   * what users sent.
   * @default false
   */
  readonly errorMessages?: boolean | undefined;
  /**
   * Most milliseconds by which the end of a process is delayed so that its report gets out, where an error ends it or requests are
   * in flight; `false`: the end of the process is not reported.
   * @default 250
   */
  readonly exitDelay?: number | false | undefined;
  /**
   * Entries that the flight recorder keeps of the recent past, 1,024 to 262,144, rounded up to a power of two; each takes 32 bytes, and a request one at
   * least. @default 800 a second for twice `timeout`: 16,384, and up to 131,072 for longer ones
   */
  readonly recorderEntries?: number | undefined;
  /**
   * Milliseconds that the application may take to close (`app.close()`, `server.close()`) before what holds it is reported; `false`: never. Belongs below
   * what kills a process that does not end. @default 10_000
   */
  readonly shutdownTimeout?: number | false | undefined;
  /** Called on the main thread with each dump of kind `hang`, of a very large one with a part: the stuck requests first. What it throws goes to `onInternalError`. */
  readonly onHang?: ((dump: Dump) => void) | undefined;
  /**
   * A signal on which everything in flight is dumped (`kind: 'snapshot'`), such as `'SIGUSR2'`. hangwatch listens to no signal that is not named here:
   * a listener takes the signal's own effect away. @default none
   */
  readonly signal?: NodeJS.Signals | undefined;
  /** Called with hangwatch's own failures. @default each code is written to stderr once */
  readonly onInternalError?: ((error: HangwatchError) => void) | undefined;
  /** `false` switches everything off. @default true, but false under a test runner or with HANGWATCH_DISABLED=1 */
  readonly enabled?: boolean | undefined;
}

/** What `configure` changes while the process runs; what is not given stays. In `routes`, an empty object stands for what the code says. */
export type Configuration = Pick<
  HangwatchOptions,
  'timeout' | 'maxDuration' | 'ignore' | 'routes' | 'respond' | 'abort' | 'level'
>;

/** When a blocked event loop is reported, and how. */
export interface BlockedLoopOptions {
  /** Milliseconds without a turn of the event loop. @default 1_000 */
  readonly threshold?: number | undefined;
  /** Whether the main thread is paused for its stack. @default true */
  readonly stack?: boolean | undefined;
}

/** A path, a pattern for paths, or a predicate. */
export type IgnoreRule = string | RegExp | ((request: IncomingRequest) => boolean);

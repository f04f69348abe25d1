import { HangwatchError } from '../../errors.ts';
import { describeValue } from '../evidence/describe-value.ts';

/**
 * How much is noted of a request while it runs. `basic`: its awaits and layers. `resources`: also where it makes timers, file system
 * requests, sockets and the like, so that a report shows what callback code waits for; costs every resource made, see the README.
 */
export type Level = 'basic' | 'resources';

/** What a route may set for itself; `false` in its place means: do not watch this route. */
export interface RouteOptions {
  /** Milliseconds without progress after which a request of this route is stuck. */
  readonly timeout?: number | undefined;
  /** Milliseconds after which a request of this route that still moves is reported as slow; `false`: never. */
  readonly maxDuration?: number | false | undefined;
  /** Answer stuck requests of this route with this status, 500 to 599; `false`: don't. */
  readonly respond?: number | false | undefined;
  /** Abort `currentRequest().signal` of stuck requests of this route. */
  readonly abort?: boolean | undefined;
  /** How much is noted of requests of this route while they run. */
  readonly level?: Level | undefined;
}

/** {@link RouteOptions}, checked. */
export interface RouteOverride {
  readonly watch: boolean;
  readonly timeoutMs: number | undefined;
  readonly maxDurationMs: number | undefined;
  /** 0: never. */
  readonly respondStatus: number | undefined;
  readonly abort: boolean | undefined;
  readonly level: Level | undefined;
}

const KNOWN = ['timeout', 'maxDuration', 'respond', 'abort', 'level'];
const UNWATCHED: RouteOverride = {
  watch: false,
  timeoutMs: undefined,
  maxDurationMs: undefined,
  respondStatus: undefined,
  abort: undefined,
  level: undefined,
};
/** What `respond` must be. */
export const STATUS = 'a status from 500 to 599 or false';
/** What `level` must be. */
export const LEVEL = '"basic" or "resources"';
/** Longest time that fits the shared table's 32-bit milliseconds with room to spare. */
export const MAX_MS = 2 ** 31 - 1;

/** What two pieces of code say of one route: the later wins, and a request that is not to be watched stays so. */
export function mergeOverrides(earlier: RouteOverride, later: RouteOverride): RouteOverride {
  return {
    watch: earlier.watch && later.watch,
    timeoutMs: later.timeoutMs ?? earlier.timeoutMs,
    maxDurationMs: later.maxDurationMs ?? earlier.maxDurationMs,
    respondStatus: later.respondStatus ?? earlier.respondStatus,
    abort: later.abort ?? earlier.abort,
    level: later.level ?? earlier.level,
  };
}

/** True for a status that says that the server has failed. */
export function isErrorStatus(value: unknown): value is number {
  return Number.isInteger(value) && (value as number) >= 500 && (value as number) <= 599;
}

/** True for the name of a level. */
export function isLevel(value: unknown): value is Level {
  return value === 'basic' || value === 'resources';
}

/** True for a number of milliseconds that a timer and the shared table can hold. */
export function isDuration(value: unknown): value is number {
  return typeof value === 'number' && value >= 1 && value <= MAX_MS;
}

/**
 * Checks what a route was given.
 *
 * @param where what to call it in the error: `config.hangwatch of GET /export`
 * @throws {HangwatchError} `HANGWATCH_ERR_OPTION`
 */
export function resolveRouteOptions(options: unknown, where: string): RouteOverride {
  if (options === false) return UNWATCHED;
  if (typeof options !== 'object' || options === null || Array.isArray(options)) {
    throw new HangwatchError(
      'HANGWATCH_ERR_OPTION',
      `${where} must be false or an object, got ${describeValue(options)}`,
    );
  }
  for (const key of Object.keys(options)) {
    if (!KNOWN.includes(key)) {
      throw new HangwatchError(
        'HANGWATCH_ERR_OPTION',
        `${where}.${key} is not an option of a route; ${KNOWN.join(', ')} are`,
      );
    }
  }
  const { timeout, maxDuration, respond, abort, level } = options as RouteOptions;
  if (timeout !== undefined && !isDuration(timeout)) {
    throw new HangwatchError(
      'HANGWATCH_ERR_OPTION',
      `${where}.timeout must be a positive number of milliseconds, got ${describeValue(timeout)}`,
    );
  }
  if (maxDuration !== undefined && maxDuration !== false && !isDuration(maxDuration)) {
    throw new HangwatchError(
      'HANGWATCH_ERR_OPTION',
      `${where}.maxDuration must be a positive number of milliseconds or false, got ${describeValue(maxDuration)}`,
    );
  }
  if (respond !== undefined && respond !== false && !isErrorStatus(respond)) {
    throw new HangwatchError(
      'HANGWATCH_ERR_OPTION',
      `${where}.respond must be ${STATUS}, got ${describeValue(respond)}`,
    );
  }
  if (abort !== undefined && typeof abort !== 'boolean') {
    throw new HangwatchError(
      'HANGWATCH_ERR_OPTION',
      `${where}.abort must be true or false, got ${describeValue(abort)}`,
    );
  }
  if (level !== undefined && !isLevel(level)) {
    throw new HangwatchError('HANGWATCH_ERR_OPTION', `${where}.level must be ${LEVEL}, got ${describeValue(level)}`);
  }
  return {
    watch: true,
    timeoutMs: timeout,
    maxDurationMs: maxDuration === false ? 0 : maxDuration,
    respondStatus: respond === false ? 0 : respond,
    abort,
    level,
  };
}

import { constants } from 'node:os';
import path from 'node:path';
import * as v from 'valibot';
import type { HangwatchOptions, IgnoreRule } from '../../options.ts';
import { MOST_RECORDER_ENTRIES } from '../../shared/recorder-layout.ts';
import { describeValue } from '../evidence/describe-value.ts';
import { resolveBlockedLoop } from './blocked-loop-option.ts';
import { optionError } from './option-error.ts';
import { resolveRoutes } from './resolve-routes.ts';
import { isErrorStatus, isLevel, LEVEL, type Level, MAX_MS, STATUS } from './route-override.ts';

/** {@link HangwatchOptions}, checked and complete. */
export interface ResolvedOptions {
  readonly enabled: boolean;
  readonly timeoutMs: number;
  /** 0: never. */
  readonly maxDurationMs: number;
  readonly scanIntervalMs: number;
  /** 0: blocked event loops are not reported. */
  readonly blockedLoopMs: number;
  readonly blockedLoopStack: boolean;
  readonly collectors: readonly string[];
  readonly token: string | undefined;
  readonly service: string;
  readonly version: string;
  readonly spoolDir: string | undefined;
  readonly ignore: readonly IgnoreRule[];
  readonly routes: ReturnType<typeof resolveRoutes>;
  readonly routeName: HangwatchOptions['routeName'];
  /** 0: never. */
  readonly respondStatus: number;
  readonly abort: boolean;
  readonly level: Level;
  readonly signal: NodeJS.Signals | undefined;
  readonly errorMessages: boolean;
  /** 0: the end of the process is not reported. */
  readonly exitDelayMs: number;
  /** `undefined`: as many as the timeout asks for. */
  readonly recorderEntries: number | undefined;
  /** 0: an application that takes long to close is not reported. */
  readonly shutdownTimeoutMs: number;
  readonly onHang: HangwatchOptions['onHang'];
  readonly onInternalError: HangwatchOptions['onInternalError'];
}

const expected = (what: string) => (issue: v.BaseIssue<unknown>) =>
  `must be ${what}, got ${describeValue(issue.input)}`;

const milliseconds = (what: string) =>
  v.pipe(
    v.number(expected(what)),
    v.check((x) => x >= 1 && x <= MAX_MS, expected(what)),
  );
const DURATION = 'a positive number of milliseconds';
const durationOrFalse = v.custom<number | false>(
  (x) => x === false || (typeof x === 'number' && x >= 1 && x <= MAX_MS),
  expected(`${DURATION} or false`),
);
const text = (what = 'a non-empty string') => v.pipe(v.string(expected(what)), v.minLength(1, expected(what)));
const token = v.pipe(text(), v.regex(/^[\x21-\x7e]+$/, 'must be printable ASCII without spaces'));
const callback = v.custom<(...args: never[]) => unknown>((x) => typeof x === 'function', expected('a function'));
const URL_TEXT = 'an http: or https: URL';
const collectorUrl = v.pipe(v.string(expected(URL_TEXT)), v.check(isHttpUrl, expected(URL_TEXT)));
const SIGNAL = 'a signal that may be caught, such as SIGUSR2 (SIGUSR1 starts the debugger)';
const IGNORE = 'a path that begins with /, a RegExp or a function';
const ignoreRule = v.custom<IgnoreRule>(
  (x) => typeof x === 'function' || x instanceof RegExp || (typeof x === 'string' && x.startsWith('/')),
  expected(IGNORE),
);

/** What `configure` may change as well. Of lists and tables more is checked by hand: which part of them is wrong says most. */
const RuleEntries = {
  timeout: v.optional(milliseconds(DURATION)),
  maxDuration: v.optional(durationOrFalse),
  ignore: v.optional(v.unknown()),
  respond: v.optional(v.custom<number | false>((x) => x === false || isErrorStatus(x), expected(STATUS))),
  abort: v.optional(v.boolean(expected('true or false'))),
  level: v.optional(v.custom<Level>(isLevel, expected(LEVEL))),
  routes: v.optional(v.unknown()),
};
const RulesSchema = v.strictObject(RuleEntries);

const OptionsSchema = v.strictObject({
  ...RuleEntries,
  scanInterval: v.optional(
    v.custom<number>(
      (x) => typeof x === 'number' && x >= 10 && x <= 60_000,
      expected('a number of milliseconds from 10 to 60000'),
    ),
  ),
  // Checked by hand below, as `collector` and `ignore` are: what is wrong inside says more than that something is.
  blockedLoop: v.optional(v.unknown()),
  // Checked by hand below: which of a list is wrong says more than that the list is.
  collector: v.optional(v.unknown()),
  token: v.optional(token),
  service: v.optional(text()),
  version: v.optional(v.string(expected('a string'))),
  spoolDir: v.optional(text('a non-empty path')),
  routeName: v.optional(callback),
  signal: v.optional(v.custom<NodeJS.Signals>(isUsableSignal, expected(SIGNAL))),
  exitDelay: v.optional(
    v.custom<number | false>(
      (x) => x === false || (typeof x === 'number' && x >= 1 && x <= 10_000),
      expected('a number of milliseconds from 1 to 10000 or false'),
    ),
  ),
  recorderEntries: v.optional(
    v.custom<number>(
      (x) => typeof x === 'number' && Number.isInteger(x) && x >= 1_024 && x <= MOST_RECORDER_ENTRIES,
      expected(`a whole number from 1024 to ${MOST_RECORDER_ENTRIES}`),
    ),
  ),
  errorMessages: v.optional(v.boolean(expected('true or false'))),
  shutdownTimeout: v.optional(durationOrFalse),
  onHang: v.optional(callback),
  onInternalError: v.optional(callback),
  enabled: v.optional(v.boolean(expected('true or false'))),
});

/**
 * Checks the options, completes them from the environment and the defaults, and freezes the result.
 *
 * @throws {HangwatchError} `HANGWATCH_ERR_OPTION`: `options.timeout must be a positive number of milliseconds, got "abc"`
 */
export function resolveOptions(options: unknown, env: NodeJS.ProcessEnv = process.env): ResolvedOptions {
  if (options !== undefined && (typeof options !== 'object' || options === null || Array.isArray(options))) {
    throw optionError('options', `must be an object, got ${describeValue(options)}`);
  }
  check('options', OptionsSchema, options ?? {});
  const given = (options ?? {}) as HangwatchOptions;

  const timeoutMs = given.timeout ?? environmentTimeout(env) ?? 10_000;
  const collectors = listOf(
    given.collector ??
      env['HANGWATCH_COLLECTOR']
        ?.split(',')
        .map((x) => x.trim())
        .filter(Boolean),
  );
  const collectorName = given.collector === undefined ? 'HANGWATCH_COLLECTOR' : 'options.collector';
  collectors.forEach((url, i) => {
    check(collectors.length > 1 ? `${collectorName}[${i}]` : collectorName, collectorUrl, url);
  });
  checkIgnore('options', given.ignore);
  const blockedLoop = resolveBlockedLoop(given.blockedLoop, env);

  return Object.freeze({
    enabled: given.enabled ?? !(isSet(env['HANGWATCH_DISABLED']) || underTestRunner(env)),
    timeoutMs,
    maxDurationMs: given.maxDuration === false ? 0 : (given.maxDuration ?? Math.max(300_000, timeoutMs)),
    scanIntervalMs: given.scanInterval ?? Math.max(10, Math.min(1_000, Math.round(timeoutMs / 10))),
    ...blockedLoop,
    collectors: collectors.map((url) => String(url).replace(/\/+$/, '')),
    token: given.token ?? tokenFrom(env),
    service: given.service ?? nonEmpty(env['HANGWATCH_SERVICE']) ?? nonEmpty(env['npm_package_name']) ?? mainScript(),
    version: given.version ?? env['npm_package_version'] ?? '',
    spoolDir: given.spoolDir,
    ignore: listOf(given.ignore),
    routes: resolveRoutes(given.routes, 'options.routes'),
    routeName: given.routeName,
    respondStatus: given.respond === false ? 0 : (given.respond ?? 0),
    abort: given.abort ?? false,
    level: given.level ?? 'basic',
    signal: given.signal,
    errorMessages: given.errorMessages ?? false,
    shutdownTimeoutMs: given.shutdownTimeout === false ? 0 : (given.shutdownTimeout ?? 10_000),
    exitDelayMs: given.exitDelay === false ? 0 : (given.exitDelay ?? 250),
    recorderEntries: given.recorderEntries,
    onHang: given.onHang,
    onInternalError: given.onInternalError,
  });
}

/**
 * Checks what `configure` was given, but for its routes.
 *
 * @throws {HangwatchError} `HANGWATCH_ERR_OPTION`
 */
export function checkRules(name: string, rules: object): void {
  check(name, RulesSchema, rules);
  checkIgnore(name, (rules as HangwatchOptions).ignore);
}

function checkIgnore(name: string, given: HangwatchOptions['ignore']): void {
  const ignore = listOf(given);
  ignore.forEach((rule, i) => {
    check(ignore.length > 1 ? `${name}.ignore[${i}]` : `${name}.ignore`, ignoreRule, rule);
  });
}

function check<Entries extends v.ObjectEntries>(
  name: string,
  schema: v.GenericSchema | v.StrictObjectSchema<Entries, undefined>,
  value: unknown,
): void {
  const result = v.safeParse(schema, value);
  if (result.success) return;
  const [issue] = result.issues;
  const key = issue.path?.map((item) => String(item.key)).join('.');
  if (issue.type === 'strict_object' && key !== undefined) {
    throw optionError(
      `${name}.${key}`,
      `is not an option; ${Object.keys('entries' in schema ? schema.entries : {}).join(', ')} are`,
    );
  }
  throw optionError(key === undefined ? name : `${name}.${key}`, issue.message);
}

function environmentTimeout(env: NodeJS.ProcessEnv): number | undefined {
  const value = nonEmpty(env['HANGWATCH_TIMEOUT']);
  if (value === undefined) return undefined;
  const timeoutMs = Number(value);
  if (timeoutMs >= 1 && timeoutMs <= MAX_MS) return timeoutMs;
  throw optionError('HANGWATCH_TIMEOUT', `must be ${DURATION}, got ${describeValue(value)}`);
}

/** A secret that was read from a file has a line's end after it. */
function tokenFrom(env: NodeJS.ProcessEnv): string | undefined {
  const value = nonEmpty(env['HANGWATCH_TOKEN']?.trim());
  if (value !== undefined) check('HANGWATCH_TOKEN', token, value);
  return value;
}

/** Not those that cannot be caught, nor the one with which Node starts its debugger. */
function isUsableSignal(value: unknown): boolean {
  return (
    typeof value === 'string' &&
    Object.hasOwn(constants.signals, value) &&
    !['SIGKILL', 'SIGSTOP', 'SIGUSR1'].includes(value)
  );
}

function isHttpUrl(value: string): boolean {
  try {
    return ['http:', 'https:'].includes(new URL(value).protocol);
  } catch (error) {
    if (error instanceof TypeError) return false;
    throw error;
  }
}

/** One rule, or a list of them, as a list. */
export const listOf = <T>(value: T | readonly T[] | undefined): readonly T[] =>
  value === undefined ? [] : Array.isArray(value) ? value : [value as T];
const nonEmpty = (value: string | undefined) => (value === undefined || value === '' ? undefined : value);
const isSet = (value: string | undefined) =>
  value !== undefined && !['', '0', 'false', 'no', 'off'].includes(value.toLowerCase());
const underTestRunner = (env: NodeJS.ProcessEnv) =>
  isSet(env['JEST_WORKER_ID']) || isSet(env['VITEST']) || env['NODE_ENV'] === 'test';
const mainScript = () => (process.argv[1] === undefined ? 'node' : path.basename(process.argv[1]));

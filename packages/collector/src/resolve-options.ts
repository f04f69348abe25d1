import { isIP } from 'node:net';
import * as v from 'valibot';
import { HangwatchCollectorError } from './collector-error.ts';
import type { CollectorOptions } from './collector-options.ts';
import type { DumpStore } from './store/dump-store.ts';

/** {@link CollectorOptions} with every default filled in. */
export interface ResolvedOptions {
  readonly host: string;
  readonly port: number;
  readonly db: string;
  readonly store: DumpStore | undefined;
  readonly token: string | undefined;
  readonly allowedHosts: readonly string[];
  readonly limits: { readonly bodyBytes: number; readonly decompressedBytes: number; readonly dumpsPerRequest: number };
  readonly retention: { readonly maxAgeMs: number; readonly maxDumps: number; readonly intervalMs: number };
  readonly requestTimeoutMs: number;
  readonly onInternalError: (error: unknown) => void;
}

const MEBIBYTE = 1024 * 1024;
const DAY_MS = 86_400_000;
const MAX_TIMER_MS = 2 ** 31 - 1;

const text = (expected: string) => v.pipe(v.string(expected), v.nonEmpty(expected));

function whole(from: number, to: number, unit: string) {
  const expected = `must be a whole number${unit} from ${from} to ${to}`;
  return v.pipe(v.number(expected), v.safeInteger(expected), v.minValue(from, expected), v.maxValue(to, expected));
}

function positive(expected: string) {
  return v.pipe(
    v.number(expected),
    v.check((value) => value > 0, expected),
  );
}

function group<const Entries extends v.ObjectEntries>(entries: Entries) {
  return v.strictObject(entries, (issue) => (issue.expected === 'never' ? 'is not an option' : 'must be an object'));
}

const isStore = (value: unknown): boolean =>
  typeof value === 'object' &&
  value !== null &&
  ['add', 'list', 'close'].every((name) => typeof Reflect.get(value, name) === 'function');

// The longest string that V8 makes; a decompressed body becomes one.
const MAX_STRING = 512 * MEBIBYTE - 24;
const EXPECT_TOKEN = 'must be a string of 8 or more printable ASCII characters without spaces';
const EXPECT_HOSTS = 'must be a list of host names';

const OptionsSchema = group({
  host: v.optional(text('must be a host name or an IP address'), '127.0.0.1'),
  port: v.optional(whole(0, 65_535, ''), 4747),
  db: v.optional(text("must be the path of a file, or ':memory:'"), 'hangwatch.db'),
  store: v.optional(v.custom<DumpStore>(isStore, 'must be a DumpStore')),
  token: v.optional(v.pipe(v.string(EXPECT_TOKEN), v.regex(/^[\x21-\x7e]{8,1024}$/, EXPECT_TOKEN))),
  allowedHosts: v.optional(v.array(text(EXPECT_HOSTS), EXPECT_HOSTS), []),
  limits: v.optional(
    group({
      bodyBytes: v.optional(whole(1, MAX_STRING, ' of bytes'), 10 * MEBIBYTE),
      decompressedBytes: v.optional(whole(1, MAX_STRING, ' of bytes'), 50 * MEBIBYTE),
      dumpsPerRequest: v.optional(whole(1, 1_000_000, ''), 10_000),
    }),
    {},
  ),
  retention: v.optional(
    group({
      maxAgeMs: v.optional(positive('must be a positive number of milliseconds, or Infinity'), 90 * DAY_MS),
      maxDumps: v.optional(positive('must be a positive number of dumps, or Infinity'), 100_000),
      intervalMs: v.optional(whole(1, MAX_TIMER_MS, ' of milliseconds'), 60_000),
    }),
    {},
  ),
  requestTimeoutMs: v.optional(whole(1, MAX_TIMER_MS, ' of milliseconds'), 30_000),
  onInternalError: v.optional(
    v.custom<(error: unknown) => void>((value) => typeof value === 'function', 'must be a function'),
    () => reportOnStderr,
  ),
});

/**
 * Checks the options and fills in the defaults.
 *
 * @throws HangwatchCollectorError `HANGWATCH_ERR_OPTION` for a value that cannot be used, `HANGWATCH_ERR_INSECURE_HOST` for an
 * address that others can reach without a token
 */
export function resolveOptions(options: CollectorOptions = {}): ResolvedOptions {
  const result = v.safeParse(OptionsSchema, options, { abortEarly: true });
  if (!result.success) {
    const [issue] = result.issues;
    const path = ['options', ...(issue.path ?? []).map((item) => String(item.key))];
    const secret = path.at(-1) === 'token';
    const got =
      issue.message === 'is not an option' ? '' : `, got ${secret ? describeSecret(issue.input) : show(issue.input)}`;
    throw new HangwatchCollectorError('HANGWATCH_ERR_OPTION', `${path.join('.')} ${issue.message}${got}`);
  }
  const { store, token, ...rest } = result.output;
  if (token === undefined && !isLoopback(rest.host)) {
    throw new HangwatchCollectorError(
      'HANGWATCH_ERR_INSECURE_HOST',
      `options.host ${JSON.stringify(rest.host)} can be reached from other machines: set options.token (HANGWATCH_TOKEN), or listen on 127.0.0.1`,
    );
  }
  return Object.freeze({ ...rest, store, token });
}

/** Whether only this machine can reach the address. A name other than `localhost` may resolve to anything. */
export function isLoopback(host: string): boolean {
  if (isIP(host) === 4) return host.startsWith('127.');
  return host === 'localhost' || host === '::1' || host === '[::1]';
}

function show(value: unknown): string {
  if (typeof value === 'string') return JSON.stringify(value.slice(0, 60));
  if (Array.isArray(value)) return 'a list';
  return typeof value === 'object' && value !== null ? 'an object' : String(value);
}

/** A token is never repeated in a message, also not a wrong one. */
function describeSecret(value: unknown): string {
  return typeof value === 'string' ? `a string of ${value.length}` : show(value);
}

function reportOnStderr(error: unknown): void {
  process.stderr.write(`hangwatch collector: ${error instanceof Error ? error.message : String(error)}\n`);
}

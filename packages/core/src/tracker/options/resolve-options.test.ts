import { describe, expect, test } from 'vitest';
import { HangwatchError } from '../../errors.ts';
import { resolveOptions } from './resolve-options.ts';

const WRONG: readonly [unknown, string][] = [
  [5, 'options must be an object, got 5'],
  [{ timeout: 'abc' }, 'options.timeout must be a positive number of milliseconds, got "abc"'],
  [{ recorderEntries: 1_000 }, 'options.recorderEntries must be a whole number from 1024 to 262144, got 1000'],
  [{ exitDelay: 0 }, 'options.exitDelay must be a number of milliseconds from 1 to 10000 or false, got 0'],
  [{ exitDelay: true }, 'options.exitDelay must be a number of milliseconds from 1 to 10000 or false, got true'],
  [{ timeout: 0 }, 'options.timeout must be a positive number of milliseconds, got 0'],
  [{ timeout: Number.NaN }, 'options.timeout must be a positive number of milliseconds, got NaN'],
  [{ timeout: 2 ** 31 }, 'options.timeout must be a positive number of milliseconds, got 2147483648'],
  [{ maxDuration: true }, 'options.maxDuration must be a positive number of milliseconds or false, got true'],
  [{ shutdownTimeout: 0 }, 'options.shutdownTimeout must be a positive number of milliseconds or false, got 0'],
  [{ shutdownTimeout: true }, 'options.shutdownTimeout must be a positive number of milliseconds or false, got true'],
  [{ scanInterval: 1 }, 'options.scanInterval must be a number of milliseconds from 10 to 60000, got 1'],
  [{ collector: 'localhost:4747' }, 'options.collector must be an http: or https: URL, got "localhost:4747"'],
  [
    { collector: ['http://127.0.0.1:1', 'ftp://x'] },
    'options.collector[1] must be an http: or https: URL, got "ftp://x"',
  ],
  [{ blockedLoop: true }, 'options.blockedLoop must be an object or false, got true'],
  [
    { blockedLoop: { threshold: 10 } },
    'options.blockedLoop.threshold must be a number of milliseconds from 50 to 2147483647, got 10',
  ],
  [{ blockedLoop: { stack: 'no' } }, 'options.blockedLoop.stack must be true or false, got "no"'],
  [{ blockedLoop: { treshold: 1 } }, 'options.blockedLoop.treshold is not an option; threshold, stack are'],
  [{ token: 'a b' }, 'options.token must be printable ASCII without spaces'],
  [{ service: '' }, 'options.service must be a non-empty string, got ""'],
  [{ version: 7 }, 'options.version must be a string, got 7'],
  [{ spoolDir: '' }, 'options.spoolDir must be a non-empty path, got ""'],
  [{ ignore: 'health' }, 'options.ignore must be a path that begins with /, a RegExp or a function, got "health"'],
  [{ routeName: 'x' }, 'options.routeName must be a function, got "x"'],
  [{ respond: 404 }, 'options.respond must be a status from 500 to 599 or false, got 404'],
  [{ respond: true }, 'options.respond must be a status from 500 to 599 or false, got true'],
  [{ abort: 'yes' }, 'options.abort must be true or false, got "yes"'],
  [{ level: 'all' }, 'options.level must be "basic" or "resources", got "all"'],
  [{ errorMessages: 1 }, 'options.errorMessages must be true or false, got 1'],
  [{ routes: [] }, 'options.routes must be an object, got []'],
  [
    { routes: { export: false } },
    'options.routes: a route is named as in reports, /export or GET /export, got "export"',
  ],
  [
    { routes: { 'GET /x': { timeout: 0 } } },
    'options.routes["GET /x"].timeout must be a positive number of milliseconds, got 0',
  ],
  ...['SIGKILL', 'SIGUSR1', 'usr2', 12].map((signal): [unknown, string] => [
    { signal },
    `options.signal must be a signal that may be caught, such as SIGUSR2 (SIGUSR1 starts the debugger), got ${JSON.stringify(signal)}`,
  ]),
  [{ onHang: {} }, 'options.onHang must be a function, got {}'],
  [{ onInternalError: 1 }, 'options.onInternalError must be a function, got 1'],
  [{ enabled: 'yes' }, 'options.enabled must be true or false, got "yes"'],
];

describe('a wrong option is said as it was given', () => {
  test.each(WRONG)('%j', (options, message) => {
    expect(() => resolveOptions(options, {})).toThrow(new HangwatchError('HANGWATCH_ERR_OPTION', message));
  });

  test('this is so of every option that there is', () => {
    let all: string[] = [];
    try {
      resolveOptions({ unknown: 1 }, {});
    } catch (error) {
      all = /; (.*) are$/.exec((error as Error).message)?.[1]?.split(', ') ?? [];
    }
    expect(all.length).toBeGreaterThan(20);
    const tried = new Set(WRONG.flatMap(([options]) => Object.keys(Object(options))));
    expect(all.filter((name) => !tried.has(name))).toEqual([]);
  });

  test('an unknown option is named, with those there are', () => {
    expect(() => resolveOptions({ timeOut: 1 }, {})).toThrow(
      /^options\.timeOut is not an option; timeout, maxDuration, /,
    );
  });

  test('an environment variable is called by its name', () => {
    expect(() => resolveOptions({}, { HANGWATCH_TIMEOUT: 'soon' })).toThrow(
      'HANGWATCH_TIMEOUT must be a positive number of milliseconds, got "soon"',
    );
    expect(() => resolveOptions({}, { HANGWATCH_BLOCKED_LOOP: 'soon' })).toThrow(
      'HANGWATCH_BLOCKED_LOOP must be a number of milliseconds from 50 to 2147483647 or off, got "soon"',
    );
    expect(() => resolveOptions({}, { HANGWATCH_TOKEN: 'a b' })).toThrow(
      'HANGWATCH_TOKEN must be printable ASCII without spaces',
    );
    expect(() => resolveOptions({}, { HANGWATCH_COLLECTOR: 'nowhere' })).toThrow(
      'HANGWATCH_COLLECTOR must be an http: or https: URL, got "nowhere"',
    );
  });
});

describe('defaults', () => {
  test('are those of the documentation', () => {
    expect(resolveOptions(undefined, {})).toMatchObject({
      enabled: true,
      timeoutMs: 10_000,
      maxDurationMs: 300_000,
      scanIntervalMs: 1_000,
      collectors: [],
      ignore: [],
      version: '',
      respondStatus: 0,
      abort: false,
      shutdownTimeoutMs: 10_000,
    });
    expect(resolveOptions({ shutdownTimeout: false }, {}).shutdownTimeoutMs).toBe(0);
  });

  test.each<[unknown, NodeJS.ProcessEnv, number, boolean]>([
    [undefined, {}, 1_000, true],
    [{}, { HANGWATCH_BLOCKED_LOOP: '2500' }, 2_500, true],
    [{ stack: false }, { HANGWATCH_BLOCKED_LOOP: 'off' }, 0, false],
    [{ threshold: 300 }, { HANGWATCH_BLOCKED_LOOP: 'off' }, 300, true],
    [false, { HANGWATCH_BLOCKED_LOOP: '2500' }, 0, false],
  ])('blockedLoop %j with %j', (blockedLoop, env, blockedLoopMs, blockedLoopStack) => {
    expect(resolveOptions({ blockedLoop }, env)).toMatchObject({ blockedLoopMs, blockedLoopStack });
  });

  test('the scan interval is a tenth of the timeout, a second at most', () => {
    expect(resolveOptions({ timeout: 2_000 }, {}).scanIntervalMs).toBe(200);
    expect(resolveOptions({ timeout: 60_000 }, {}).scanIntervalMs).toBe(1_000);
    expect(resolveOptions({ timeout: 50 }, {}).scanIntervalMs).toBe(10);
  });

  test('the longest duration is never below the timeout', () => {
    expect(resolveOptions({ timeout: 600_000 }, {}).maxDurationMs).toBe(600_000);
    expect(resolveOptions({ maxDuration: false }, {}).maxDurationMs).toBe(0);
  });

  test('come from the environment, and options win', () => {
    const env = {
      HANGWATCH_COLLECTOR: 'http://127.0.0.1:1/, http://127.0.0.1:2',
      HANGWATCH_TIMEOUT: '3000',
      HANGWATCH_TOKEN: 't\n',
      HANGWATCH_SERVICE: 'shop',
    };
    expect(resolveOptions({}, env)).toMatchObject({
      collectors: ['http://127.0.0.1:1', 'http://127.0.0.1:2'],
      timeoutMs: 3_000,
      token: 't',
      service: 'shop',
    });
    expect(resolveOptions({ timeout: 1, service: 'other' }, env)).toMatchObject({ timeoutMs: 1, service: 'other' });
  });

  test.each([
    [{ HANGWATCH_DISABLED: '1' }, false],
    [{ HANGWATCH_DISABLED: '0' }, true],
    [{ NODE_ENV: 'test' }, false],
    [{ JEST_WORKER_ID: '1' }, false],
    [{ VITEST: 'true' }, false],
    [{ NODE_ENV: 'production' }, true],
  ])('%j: enabled %s, and `enabled: true` overrules it', (env, enabled) => {
    expect(resolveOptions({}, env).enabled).toBe(enabled);
    expect(resolveOptions({ enabled: true }, env).enabled).toBe(true);
  });

  test('are frozen', () => {
    expect(Object.isFrozen(resolveOptions({}, {}))).toBe(true);
  });
});

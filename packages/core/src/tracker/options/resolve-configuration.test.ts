import { describe, expect, test } from 'vitest';
import { resolveConfiguration } from './resolve-configuration.ts';

describe('a wrong change is said as it was given', () => {
  test.each<[unknown, string]>([
    [undefined, 'configure(change) must be an object, got undefined'],
    [{ timeout: '5s' }, 'configure(change).timeout must be a positive number of milliseconds, got "5s"'],
    [{ maxDuration: 0 }, 'configure(change).maxDuration must be a positive number of milliseconds or false, got 0'],
    [{ level: 'all' }, 'configure(change).level must be "basic" or "resources", got "all"'],
    [{ respond: 200 }, 'configure(change).respond must be a status from 500 to 599 or false, got 200'],
    [
      { ignore: ['/a', 'b'] },
      'configure(change).ignore[1] must be a path that begins with /, a RegExp or a function, got "b"',
    ],
    [
      { routes: { 'get /x': {} } },
      'configure(change).routes: a route is named as in reports, /export or GET /export, got "get /x"',
    ],
    [
      { routes: { '/x': { timeuot: 1 } } },
      'configure(change).routes["/x"].timeuot is not an option of a route; timeout, maxDuration, respond, abort',
    ],
    [
      { collector: 'http://127.0.0.1:1' },
      'configure(change).collector is not an option; timeout, maxDuration, ignore, respond, abort, level, routes are',
    ],
  ])('%j', (change, message) => {
    expect(() => resolveConfiguration(change)).toThrow(message);
  });
});

test('what is not given stays; false is never; an empty route is as the code says', () => {
  expect(resolveConfiguration({})).toMatchObject({ timeoutMs: undefined, maxDurationMs: undefined, ignore: undefined });
  const change = resolveConfiguration({
    maxDuration: false,
    respond: false,
    routes: { '/a': {}, '/b': false, 'TASK nightly job': { timeout: 1 } },
  });
  expect(change).toMatchObject({ maxDurationMs: 0, respondStatus: 0 });
  expect(change.routes.get('/a')).toBeUndefined();
  expect(change.routes.has('/a')).toBe(true);
  expect(change.routes.get('/b')).toMatchObject({ watch: false });
  expect(change.routes.get('TASK nightly job')).toMatchObject({ timeoutMs: 1 });
});

import { expect, test } from 'vitest';
import { resolveRouteOptions } from './route-override.ts';

const where = 'config.hangwatch of GET /x';

test.each<[unknown, object]>([
  [false, { watch: false, timeoutMs: undefined, maxDurationMs: undefined }],
  [{}, { watch: true, timeoutMs: undefined, maxDurationMs: undefined }],
  [
    { timeout: 5, maxDuration: false },
    { watch: true, timeoutMs: 5, maxDurationMs: 0 },
  ],
])('%j', (options, override) => {
  expect(resolveRouteOptions(options, where)).toEqual(override);
});

test('what to do about a stuck request', () => {
  expect(resolveRouteOptions({ respond: 504, abort: true }, where)).toMatchObject({ respondStatus: 504, abort: true });
  expect(resolveRouteOptions({ respond: false, abort: false }, where)).toMatchObject({
    respondStatus: 0,
    abort: false,
  });
});

test.each<[unknown, string]>([
  [true, `${where} must be false or an object, got true`],
  [[], `${where} must be false or an object, got []`],
  [{ timeout: '5' }, `${where}.timeout must be a positive number of milliseconds, got "5"`],
  [{ maxDuration: -1 }, `${where}.maxDuration must be a positive number of milliseconds or false, got -1`],
  [{ respond: 200 }, `${where}.respond must be a status from 500 to 599 or false, got 200`],
  [{ abort: 1 }, `${where}.abort must be true or false, got 1`],
  [{ level: 1 }, `${where}.level must be "basic" or "resources", got 1`],
  [{ timeuot: 5 }, `${where}.timeuot is not an option of a route; timeout, maxDuration, respond, abort, level are`],
])('%j is refused', (options, message) => {
  expect(() => resolveRouteOptions(options, where)).toThrow(message);
});

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

test.each<[unknown, string]>([
  [true, `${where} must be false or an object, got true`],
  [[], `${where} must be false or an object, got []`],
  [{ timeout: '5' }, `${where}.timeout must be a positive number of milliseconds, got "5"`],
  [{ maxDuration: -1 }, `${where}.maxDuration must be a positive number of milliseconds or false, got -1`],
  [{ timeuot: 5 }, `${where}.timeuot is not an option of a route; timeout and maxDuration are`],
])('%j is refused', (options, message) => {
  expect(() => resolveRouteOptions(options, where)).toThrow(message);
});

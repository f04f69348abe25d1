import { expect, test } from 'vitest';
import { useColor } from './use-color.ts';

const write = () => undefined;

test.each<[string, boolean | undefined, Record<string, string>, boolean, boolean]>([
  ['a terminal', undefined, {}, true, true],
  ['no terminal', undefined, {}, false, false],
  ['a dumb terminal', undefined, { TERM: 'dumb' }, true, false],
  ['NO_COLOR', undefined, { NO_COLOR: '1' }, true, false],
  ['an empty NO_COLOR', undefined, { NO_COLOR: '' }, true, true],
  ['FORCE_COLOR', undefined, { FORCE_COLOR: '1' }, false, true],
  ['FORCE_COLOR=0', undefined, { FORCE_COLOR: '0' }, true, false],
  ['NO_COLOR over FORCE_COLOR', undefined, { NO_COLOR: '1', FORCE_COLOR: '1' }, true, false],
  ['--no-color over all', false, { FORCE_COLOR: '1' }, true, false],
  ['--color over all', true, { NO_COLOR: '1' }, false, true],
])('%s', (_what, flag, env, isTTY, color) => {
  expect(useColor(flag, { stdout: { isTTY, write }, env })).toBe(color);
});

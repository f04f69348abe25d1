import { expect, test } from 'vitest';
import { replaceValues } from './replace-values.ts';

test.each([
  ['/u/jo@example.test/x', { mail: 'jo@example.test' }, '/u/:mail/x'],
  ['/u/jo%40example.test', { mail: 'jo@example.test' }, '/u/:mail'],
  ['/7-8/report.7', { a: '7', b: '8' }, '/:a-:b/report.:a'],
  ['/files/a/b', { path: ['a', 'b'] }, '/files/:path/:path'],
  ['/1/name', { name: '1', 0: 'name' }, '/:name/*'],
])('%s with %j', (url, params, pattern) => {
  expect(replaceValues(url, params)).toBe(pattern);
});

test('a value that is part of what is written stays nowhere', () => {
  expect(replaceValues('/u/u', { mail: 'u' })).toBe('/:mail/:mail');
});

import fc from 'fast-check';
import { expect, test } from 'vitest';
import { terminalJson } from './terminal-json.ts';

test('what a terminal acts on is escaped', () => {
  expect(terminalJson('\u009b\u202e\u2028\u{e0041}ü')).toBe('"\\u009b\\u202e\\u2028\\udb40\\udc41ü"');
});

test('it parses to the same value', () => {
  fc.assert(
    fc.property(fc.jsonValue(), fc.string({ unit: 'binary' }), (value, text) => {
      const json = terminalJson([value, text]);
      expect(JSON.parse(json)).toEqual(JSON.parse(JSON.stringify([value, text])));
      expect(json).not.toMatch(/[\p{Cc}\p{Cf}\p{Zl}\p{Zp}\p{Cs}]/u);
    }),
  );
});

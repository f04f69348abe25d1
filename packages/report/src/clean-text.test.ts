import fc from 'fast-check';
import { expect, test } from 'vitest';
import { cleanText } from './clean-text.ts';

test.each([
  ['a\u001b[31mb', 'a\\x1b[31mb'],
  ['a\r\n\tb', 'a\\r\\n\\tb'],
  ['\u202eabc\u2066', '\\u{202e}abc\\u{2066}'],
  ['zero\u200bwidth\ufeff', 'zero\\u{200b}width\\u{feff}'],
  ['half \ud83d', 'half \\u{d83d}'],
  ['tag \u{e0041}', 'tag \\u{e0041}'],
  ['Grüße, 漢字, 👍 e\u0301', 'Grüße, 漢字, 👍 e\u0301'],
  [`z${'\u0301'.repeat(50)}a`, `z${'\u0301'.repeat(3)}a`],
])('%j', (text, clean) => {
  expect(cleanText(text)).toBe(clean);
});

test('cuts by characters and never through one', () => {
  expect(cleanText('abcdef', 6)).toBe('abcdef');
  expect(cleanText('abcdef', 4)).toBe('abc…');
  expect(cleanText('👍👍👍', 3)).toBe('👍👍👍');
  expect(cleanText('👍👍👍👍', 3)).toBe('👍👍…');
});

test('is idempotent on its own characters and never longer than asked', () => {
  fc.assert(
    fc.property(fc.string({ unit: 'binary' }), fc.integer({ min: 1, max: 50 }), (text, max) => {
      const clean = cleanText(text, max);
      expect(Array.from(clean).length).toBeLessThanOrEqual(max);
      expect(clean).not.toMatch(/[\p{Cc}\p{Cf}\p{Zl}\p{Zp}\p{Cs}]/u);
    }),
  );
});

// Control characters (ANSI escapes begin with one), invisible and direction-changing ones, line and paragraph separators, lone
// surrogates; and more than three combining marks in a row, which would paint over the lines above.
const UNSAFE = /[\p{Cc}\p{Cf}\p{Zl}\p{Zp}\p{Cs}]|(?<=\p{M}{3})\p{M}+/gu;
const NAMED = new Map([
  ['\n', '\\n'],
  ['\r', '\\r'],
  ['\t', '\\t'],
]);

function escapeCharacter(match: string): string {
  const named = NAMED.get(match);
  if (named !== undefined) return named;
  if (/^\p{M}/u.test(match)) return '';
  const code = match.codePointAt(0) ?? 0;
  return code <= 0xff ? `\\x${code.toString(16).padStart(2, '0')}` : `\\u{${code.toString(16)}}`;
}

/**
 * Makes a string from outside safe to print on one line of a terminal or a page: what a terminal would act on, or what would hide or
 * reorder text, is shown escaped (`\x1b[31m`), and what is longer than `maxCharacters` ends in `…`.
 * It does not escape HTML.
 *
 * @param text - any string
 * @param maxCharacters - code points that remain at most, the `…` included
 * @example
 * ```ts
 * cleanText('a\u001b[2Jb\n'); // 'a\\x1b[2Jb\\n'
 * cleanText('abcdef', 4); // 'abc…'
 * ```
 */
export function cleanText(text: string, maxCharacters = 200): string {
  // One character more than fits in the worst case, so that a huge string costs no more than a long one.
  const bounded = text.length > 2 * maxCharacters + 2 ? text.slice(0, 2 * maxCharacters + 2) : text;
  const safe = bounded.replace(UNSAFE, escapeCharacter);
  if (safe.length <= maxCharacters) return safe;
  const characters = Array.from(safe);
  return characters.length <= maxCharacters ? safe : `${characters.slice(0, maxCharacters - 1).join('')}…`;
}

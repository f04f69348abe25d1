// JSON.stringify escapes C0 controls and lone surrogates only; a terminal also acts on C1 controls and direction marks.
const UNSAFE = /[\u007f-\u009f\p{Cf}\p{Zl}\p{Zp}]/gu;

/**
 * JSON on one line that is safe to print on a terminal, and parses to the same value.
 *
 * @example
 * ```ts
 * terminalJson({ label: '\u202e' }); // '{"label":"\\u202e"}'
 * ```
 */
export function terminalJson(value: unknown): string {
  return JSON.stringify(value).replace(UNSAFE, (character) =>
    Array.from(
      { length: character.length },
      (_, unit) => `\\u${character.charCodeAt(unit).toString(16).padStart(4, '0')}`,
    ).join(''),
  );
}

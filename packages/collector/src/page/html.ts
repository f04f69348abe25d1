import { cleanText } from '@hangwatch/report';

/** Markup that is safe to send: it comes from {@link html} only. */
export class Html {
  readonly #markup: string;

  constructor(markup: string) {
    this.#markup = markup;
  }

  toString(): string {
    return this.#markup;
  }
}

/** What may stand in a `${…}` of {@link html}: markup as it is, lists joined, nothing for undefined and false, all else as text. */
export type HtmlValue = Html | string | number | undefined | false | readonly HtmlValue[];

const ESCAPES = new Map([
  ['&', '&amp;'],
  ['<', '&lt;'],
  ['>', '&gt;'],
  ['"', '&quot;'],
  ["'", '&#39;'],
]);
const MAX_TEXT = 4_096;

/**
 * Markup from a template in which every value is escaped, for text and for quoted attributes, and has its control and
 * invisible characters made visible. URLs are the caller's to build from what it has checked.
 *
 * @example
 * ```ts
 * html`<p title="${hostile}">${hostile}</p>`;
 * ```
 */
export function html(strings: TemplateStringsArray, ...values: HtmlValue[]): Html {
  return new Html(strings.reduce((markup, text, index) => markup + render(values[index - 1]) + text));
}

function render(value: HtmlValue): string {
  if (value === undefined || value === false) return '';
  if (value instanceof Html) return value.toString();
  if (typeof value === 'object') return value.map(render).join('');
  return cleanText(String(value), MAX_TEXT).replace(/[&<>"']/g, (character) => ESCAPES.get(character) ?? '');
}

/** What became of one post to one collector. */
export type PostOutcome =
  | { readonly kind: 'acknowledged'; readonly status: number }
  /** The collector will never take this dump. */
  | { readonly kind: 'rejected'; readonly status: number; readonly answer: string }
  /** The token is missing, wrong or not allowed. */
  | { readonly kind: 'unauthorized'; readonly status: number; readonly answer: string }
  /** The collector asks to come later; `askedMs` if it said when. */
  | { readonly kind: 'busy'; readonly status: number; readonly askedMs: number | undefined }
  /** No answer, or one that says nothing about the dump. */
  | { readonly kind: 'failed'; readonly status: number | undefined; readonly reason: string };

/** An answer, as far as it was read. */
export interface Answer {
  readonly status: number;
  readonly retryAfter: string | undefined;
  /** Beginning of the body. */
  readonly text: string;
}

/**
 * Reads a collector's answer. `nowMs` is the wall clock, against which a date in Retry-After is read.
 *
 * @example
 * outcomeOf({ status: 503, retryAfter: '30', text: '' }, Date.now()); // { kind: 'busy', status: 503, askedMs: 30_000 }
 */
export function outcomeOf(answer: Answer, nowMs: number): PostOutcome {
  const { status } = answer;
  const text = printable(answer.text);
  switch (status) {
    case 200:
    case 202:
      return { kind: 'acknowledged', status };
    case 400:
    case 413:
    case 422:
      return { kind: 'rejected', status, answer: text };
    case 401:
    case 403:
      return { kind: 'unauthorized', status, answer: text };
    case 429:
    case 503:
      return { kind: 'busy', status, askedMs: retryAfterMs(answer.retryAfter, nowMs) };
    default:
      return { kind: 'failed', status, reason: `answered ${status}${text === '' ? '' : `: ${text}`}` };
  }
}

/** Milliseconds that a Retry-After header asks for, as seconds or as a date; undefined if it says neither, or the past. */
export function retryAfterMs(header: string | undefined, nowMs: number): number | undefined {
  const value = header?.trim() ?? '';
  if (/^\d{1,9}$/.test(value)) return Number(value) * 1_000;
  const atMs = /[a-z]/i.test(value) ? Date.parse(value) : Number.NaN;
  return atMs > nowMs ? atMs - nowMs : undefined;
}

/** A stranger's text on its way to a terminal or a log: one line, no control characters, 300 characters. */
export function printable(text: string): string {
  return text
    .replace(/[\p{Cc}\p{Cf}\p{Co}\p{Cs}\u2028\u2029]+/gu, ' ')
    .trim()
    .slice(0, 300);
}

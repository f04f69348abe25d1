import { CliError } from '../cli-error.ts';
import { reasonOf } from '../reason-of.ts';

/** A self-test gives up after 30 s. */
const LONGEST_ANSWER_MS = 45_000;
const MAX_ANSWER = 100_000;

/** What a URL answered; `body` is what its JSON holds, `undefined` where it is none. */
export interface Answer {
  readonly status: number;
  readonly body: Readonly<Record<string, unknown>> | undefined;
}

/**
 * Asks a URL, and follows no redirect: a token goes nowhere else.
 *
 * @throws CliError when there is no answer
 */
export async function ask(url: URL, token: string | undefined): Promise<Answer> {
  const headers = { accept: 'application/json', ...(token && { authorization: `Bearer ${token}` }) };
  try {
    const signal = AbortSignal.timeout(LONGEST_ANSWER_MS);
    const response = await fetch(url, { headers, redirect: 'manual', signal });
    const text = await response.text();
    return { status: response.status, body: text.length > MAX_ANSWER ? undefined : parse(text) };
  } catch (error) {
    throw new CliError(reasonOf(error), { cause: error });
  }
}

function parse(text: string): Readonly<Record<string, unknown>> | undefined {
  try {
    const value: unknown = JSON.parse(text);
    return typeof value === 'object' && value !== null ? (value as Record<string, unknown>) : undefined;
  } catch {
    return undefined; // a page of something else
  }
}

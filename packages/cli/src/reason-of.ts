import { cleanText } from '@hangwatch/report';

/** Why a `fetch` failed: `fetch failed` says nothing, the cause does. */
export function reasonOf(error: unknown): string {
  if (!(error instanceof Error)) return String(error);
  if (error.name === 'TimeoutError') return 'it does not answer';
  const cause = error.cause instanceof Error ? error.cause : error;
  const code = 'code' in cause ? String(cause.code) : '';
  return cleanText(cause.message || code || error.message, 300);
}

import { timingSafeEqual } from 'node:crypto';
import { HangwatchError } from '../../errors.ts';
import { messageOf } from '../../message-of.ts';
import { describeValue } from '../evidence/describe-value.ts';
import type { IncomingRequest, OutgoingResponse } from '../http/http-messages.ts';
import { selfTest } from './run-self-test.ts';

/** Options of {@link selfTestHandler}. */
export interface SelfTestHandlerOptions {
  /** Bearer token that a caller has to send. @default HANGWATCH_TOKEN; without either, anybody may ask */
  readonly token?: string | undefined;
}

/** How long an answer is given again: whoever asks more often costs nothing. */
const KEPT_MS = 10_000;

/** What the handler answers with: 200 where the collector has acknowledged, else 503. */
interface Report {
  readonly status: 200 | 503;
  readonly body: Readonly<Record<string, unknown>>;
}

/**
 * A handler for Node's own servers that runs {@link selfTest} and answers with its result as JSON: 200 when a collector has acknowledged, 503
 * with the failed step otherwise. `hangwatch doctor URL` reads it. Mount it where operators can reach it; it answers at most one test in ten
 * seconds, and the requests to it belong into `ignore`.
 *
 * @throws {HangwatchError} `HANGWATCH_ERR_OPTION`
 * @example
 * if (request.url === '/self-test') selfTestHandler({ token: process.env.OPS_TOKEN })(request, response);
 */
export function selfTestHandler(
  options: SelfTestHandlerOptions = {},
): (request: IncomingRequest, response: OutgoingResponse) => void {
  const token = options.token ?? process.env['HANGWATCH_TOKEN'];
  if (token !== undefined && typeof token !== 'string') {
    throw new HangwatchError('HANGWATCH_ERR_OPTION', `options.token must be a string, got ${describeValue(token)}`);
  }
  let kept: { readonly report: Promise<Report>; readonly atMs: number } | undefined;
  const report = (): Promise<Report> => {
    const nowMs = performance.now();
    if (kept === undefined || nowMs - kept.atMs > KEPT_MS) kept = { report: makeReport(), atMs: nowMs };
    return kept.report;
  };
  return (request, response) => {
    if (token !== undefined && token !== '' && !isAuthorized(request.headers.authorization, token)) {
      answer(response, 401, { hangwatch: 'self-test', ok: false, message: 'a bearer token is expected' });
      return;
    }
    void report().then(({ status, body }) => answer(response, status, body));
  };
}

async function makeReport(): Promise<Report> {
  const common = { hangwatch: 'self-test', pid: process.pid };
  try {
    const result = await selfTest();
    return { status: result.ok ? 200 : 503, body: { ...common, ...result } };
  } catch (error) {
    const step = error instanceof HangwatchError ? error.code.replace('HANGWATCH_ERR_SELF_TEST_', '') : 'INTERNAL';
    return { status: 503, body: { ...common, ok: false, step, message: messageOf(error) } };
  }
}

function answer(response: OutgoingResponse, status: number, body: object): void {
  if (response.headersSent || response.destroyed) return;
  response.statusCode = status;
  response.setHeader('content-type', 'application/json');
  response.setHeader('cache-control', 'no-store');
  if (status === 401) response.setHeader('www-authenticate', 'Bearer');
  response.end(`${JSON.stringify(body)}\n`);
}

function isAuthorized(header: string | undefined, token: string): boolean {
  const given = Buffer.from(header ?? '');
  const expected = Buffer.from(`Bearer ${token}`);
  return given.length === expected.length && timingSafeEqual(given, expected);
}

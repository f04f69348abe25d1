import type { Dump } from '@hangwatch/protocol';
import { parseDump } from '@hangwatch/protocol/validate';
import { HangwatchCollectorError, type RequestIssue } from '../collector-error.ts';

const MAX_ISSUES = 20;

/**
 * The dump of a JSON body.
 *
 * @throws HangwatchCollectorError `HANGWATCH_ERR_BODY` where it is not JSON, `HANGWATCH_ERR_DUMP` with the path of each thing that is wrong
 */
export function parseJsonDump(text: string): Dump {
  const result = parseDump(parseJson(text, 'the body'));
  if (result.ok) return result.dump;
  throw invalid(result.issues);
}

/**
 * The dumps of an NDJSON body, one a line; empty lines are skipped. One that is wrong makes all of it wrong.
 *
 * @throws HangwatchCollectorError as {@link parseJsonDump}, with the line; `HANGWATCH_ERR_TOO_LARGE` for more than `maxDumps`
 */
export function parseNdjsonDumps(text: string, maxDumps: number): Dump[] {
  const dumps: Dump[] = [];
  const issues: RequestIssue[] = [];
  for (const [line, content] of linesOf(text)) {
    if (dumps.length === maxDumps) {
      throw new HangwatchCollectorError('HANGWATCH_ERR_TOO_LARGE', `the body holds more than ${maxDumps} dumps`);
    }
    const result = parseDump(parseJson(content, `line ${line}`));
    if (result.ok) dumps.push(result.dump);
    else issues.push(...result.issues.map((issue) => ({ line, ...issue })));
    if (issues.length >= MAX_ISSUES) break;
  }
  if (issues.length > 0) throw invalid(issues.slice(0, MAX_ISSUES));
  if (dumps.length === 0) throw new HangwatchCollectorError('HANGWATCH_ERR_BODY', 'the body holds no dump');
  return dumps;
}

/** Lines that are not empty, with their numbers from 1. One at a time: a body can hold millions. */
function* linesOf(text: string): Generator<[number, string]> {
  let line = 0;
  for (let start = 0; start < text.length; ) {
    const newline = text.indexOf('\n', start);
    const end = newline === -1 ? text.length : newline;
    line += 1;
    const content = text.slice(start, end).trim();
    if (content !== '') yield [line, content];
    start = end + 1;
  }
}

function parseJson(text: string, what: string): unknown {
  try {
    return JSON.parse(text);
  } catch (cause) {
    const reason = cause instanceof Error ? cause.message : String(cause);
    throw new HangwatchCollectorError('HANGWATCH_ERR_BODY', `${what} is not JSON: ${reason}`, { cause });
  }
}

function invalid(issues: readonly RequestIssue[]): HangwatchCollectorError {
  const [first] = issues;
  const line = first?.line === undefined ? '' : `line ${first.line}: `;
  const message = `${line}${first?.path || 'the dump'} ${first?.message ?? 'is wrong'}`;
  return new HangwatchCollectorError('HANGWATCH_ERR_DUMP', message, { issues });
}

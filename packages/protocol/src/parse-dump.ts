import * as v from 'valibot';
import type { Dump } from './dump.ts';
import { EnvelopeSchema, RequestSchema } from './dump-schema.ts';

/** One thing that is wrong with a dump. */
export interface DumpIssue {
  /** Where: `requests[3].stacks[0][2].line`; `''` for the dump as a whole. */
  path: string;
  /** What is expected there, and what was given: `must be a whole number, 0 or more, got "12"`. */
  message: string;
}

/** What {@link parseDump} returns. */
export type ParseDumpResult = { ok: true; dump: Dump } | { ok: false; issues: DumpIssue[] };

const MAX_ISSUES = 20;
const MAX_SHOWN_CHARACTERS = 60;

/**
 * Checks that a value which came from outside is a dump. It never throws and never copies: `dump` is the value itself, with
 * all the fields that this version does not know, so that a collector older than its applications stores what they sent.
 * At most 20 issues are returned, and no more than that are looked for among the requests.
 *
 * @example
 * ```ts
 * import { parseDump } from '@hangwatch/protocol/validate';
 *
 * const result = parseDump(JSON.parse(text));
 * if (result.ok) console.log(result.dump.verdict.summary);
 * else console.error(result.issues.map((issue) => `${issue.path} ${issue.message}`).join('\n'));
 * ```
 */
export function parseDump(value: unknown): ParseDumpResult {
  const envelope = v.safeParse(EnvelopeSchema, value);
  const issues = (envelope.issues ?? []).slice(0, MAX_ISSUES).map((issue) => describe(issue, []));
  for (const [index, request] of requestsOf(value).entries()) {
    if (issues.length >= MAX_ISSUES) break;
    const found = v.safeParse(RequestSchema, request).issues ?? [];
    issues.push(...found.slice(0, MAX_ISSUES - issues.length).map((issue) => describe(issue, ['requests', index])));
  }
  return issues.length === 0 ? { ok: true, dump: value as Dump } : { ok: false, issues };
}

/** The requests to check one by one; none where the list itself is already an issue of the envelope. */
function requestsOf(value: unknown): unknown[] {
  if (typeof value !== 'object' || value === null || !('requests' in value)) return [];
  const { requests } = value;
  return v.is(EnvelopeSchema.entries.requests, requests) ? requests : [];
}

function describe(issue: v.BaseIssue<unknown>, prefix: (string | number)[]): DumpIssue {
  const keys = [...prefix, ...(issue.path ?? []).map((item) => item.key)];
  return { path: pathText(keys), message: `${issue.message}, got ${show(issue.input)}` };
}

function pathText(keys: unknown[]): string {
  let path = '';
  for (const key of keys) {
    if (typeof key === 'number') path += `[${key}]`;
    else if (typeof key === 'string' && /^[A-Za-z_$][\w$]{0,63}$/.test(key)) path += path === '' ? key : `.${key}`;
    else path += `[${show(key)}]`;
  }
  return path;
}

function show(value: unknown): string {
  if (value === undefined) return 'nothing';
  if (typeof value === 'string') {
    const cut = value.length > MAX_SHOWN_CHARACTERS;
    const shown = JSON.stringify(cut ? value.slice(0, MAX_SHOWN_CHARACTERS) : value);
    return cut ? `${shown}… (${value.length} characters)` : shown;
  }
  if (Array.isArray(value)) return `a list of ${value.length}`;
  if (typeof value === 'object' && value !== null) return 'an object';
  return String(value);
}

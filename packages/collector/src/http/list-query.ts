import { DUMP_LIMITS } from '@hangwatch/protocol';
import * as v from 'valibot';
import { HangwatchCollectorError } from '../collector-error.ts';
import type { DumpStore, ListQuery } from '../store/dump-store.ts';

const MAX_LIMIT = 500;
const MAX_WAIT_SECONDS = 60;

function whole(from: number, to: number) {
  const expected = `must be a whole number from ${from} to ${to}`;
  return v.pipe(
    v.string(expected),
    v.regex(/^\d{1,9}$/, expected),
    v.transform(Number),
    v.minValue(from, expected),
    v.maxValue(to, expected),
  );
}

const EXPECT_CURSOR = 'must be the id of a dump, or a cursor from `next` or `latest`';
const EXPECT_PREFIX = `must be 1 to ${DUMP_LIMITS.id} of the characters A-Z a-z 0-9 . _ -`;
const cursor = v.pipe(v.string(EXPECT_CURSOR), v.regex(/^(~\d{1,15}|[A-Za-z0-9._-]{1,128})$/, EXPECT_CURSOR));

const QuerySchema = v.pipe(
  v.strictObject(
    {
      limit: v.optional(whole(1, MAX_LIMIT), '50'),
      before: v.optional(cursor),
      after: v.optional(cursor),
      wait: v.optional(whole(0, MAX_WAIT_SECONDS), '0'),
      idPrefix: v.optional(v.pipe(v.string(EXPECT_PREFIX), v.regex(/^[A-Za-z0-9._-]{1,128}$/, EXPECT_PREFIX))),
      view: v.optional(v.picklist(['full', 'head'], 'must be "full" or "head"'), 'full'),
    },
    (issue) => (issue.expected === 'never' ? 'is not a parameter' : 'must be query parameters'),
  ),
  v.check((query) => query.before === undefined || query.after === undefined, 'before and after exclude each other'),
);

/** The parameters of `GET /v1/dumps`, with cursors resolved to positions. */
export interface ResolvedListQuery {
  list: ListQuery;
  waitMs: number;
  view: 'full' | 'head';
}

/**
 * Checks the parameters of `GET /v1/dumps`.
 *
 * @throws HangwatchCollectorError `HANGWATCH_ERR_QUERY`, also for an id that is not in the store
 */
export async function resolveListQuery(query: unknown, store: DumpStore): Promise<ResolvedListQuery> {
  const result = v.safeParse(QuerySchema, query, { abortEarly: true });
  if (!result.success) {
    const [issue] = result.issues;
    const name = issue.path?.[0]?.key;
    throw queryError(name === undefined ? issue.message : `${String(name)} ${issue.message}`);
  }
  const { limit, before, after, wait, idPrefix, view } = result.output;
  const list: ListQuery = { limit };
  if (before !== undefined) list.before = await positionOf('before', before, store);
  if (after !== undefined) list.after = await positionOf('after', after, store);
  if (idPrefix !== undefined) list.idPrefix = idPrefix;
  return { list, waitMs: wait * 1_000, view };
}

/** A position as clients see it. It can't be mistaken for an id, and stays good when its dump is deleted. */
export function cursorOf(position: number): string {
  return `~${position}`;
}

async function positionOf(name: string, text: string, store: DumpStore): Promise<number> {
  if (text.startsWith('~')) return Number(text.slice(1));
  const found = await store.find(text);
  if (found === undefined) throw queryError(`${name}: there is no dump with the id ${JSON.stringify(text)}`);
  return found.position;
}

function queryError(message: string): HangwatchCollectorError {
  return new HangwatchCollectorError('HANGWATCH_ERR_QUERY', message);
}

import type { FastifyInstance, FastifyReply } from 'fastify';
import { HangwatchCollectorError } from '../collector-error.ts';
import type { DumpStore, StoredDump } from '../store/dump-store.ts';
import type { CollectorContext } from './collector-context.ts';
import type { DumpFeed } from './dump-feed.ts';
import { cursorOf, type ResolvedListQuery, resolveListQuery } from './list-query.ts';

// A page of 500 dumps of the largest size would be gigabytes: it ends earlier, and `next` leads on.
const PAGE_CHARACTERS = 16 * 1024 * 1024;
const JSON_TYPE = 'application/json; charset=utf-8';

/** `GET /v1/dumps` and `GET /v1/dumps/:id`: the dumps as they were sent. */
export async function readRoutes(app: FastifyInstance, { store, feed }: CollectorContext): Promise<void> {
  app.get('/v1/dumps', async (request, reply) => {
    const query = await resolveListQuery(request.query, store);
    // Before the list: what arrives between the two is then seen twice rather than never by who goes on from `latest`.
    const latest = await store.latest();
    const found = await listOrWait(query, store, feed, reply);
    const page = query.view === 'full' ? withinSize(found) : found;
    const items =
      query.view === 'full' ? await bodiesOf(page, store) : page.map((stored) => JSON.stringify(head(stored)));
    const next = nextCursor(query, page, page.length < found.length);
    const envelope = `"next":${JSON.stringify(next)},"latest":${JSON.stringify(cursorOf(latest))}`;
    return reply.type(JSON_TYPE).send(`{"dumps":[${items.join(',')}],${envelope}}`);
  });

  app.get<{ Params: { id: string } }>('/v1/dumps/:id', async (request, reply) => {
    return reply.type(JSON_TYPE).send(await bodyOf(request.params.id, store));
  });
}

/**
 * The JSON of one dump.
 *
 * @throws HangwatchCollectorError `HANGWATCH_ERR_NOT_FOUND`
 */
export async function bodyOf(id: string, store: DumpStore): Promise<string> {
  const stored = await store.find(id);
  const body = stored && (await store.bodies([stored.position])).get(stored.position);
  if (body !== undefined) return body;
  throw new HangwatchCollectorError(
    'HANGWATCH_ERR_NOT_FOUND',
    `there is no dump with the id ${JSON.stringify(id.slice(0, 128))}`,
  );
}

async function listOrWait(
  query: ResolvedListQuery,
  store: DumpStore,
  feed: DumpFeed,
  reply: FastifyReply,
): Promise<StoredDump[]> {
  const deadline = performance.now() + query.waitMs;
  const gone = new AbortController();
  reply.raw.once('close', () => gone.abort());
  for (;;) {
    const found = await store.list(query.list);
    const remainingMs = deadline - performance.now();
    const waits = query.list.after !== undefined && remainingMs > 0 && !feed.closed && !gone.signal.aborted;
    if (found.length > 0 || !waits) return found;
    await feed.next(remainingMs, gone.signal);
  }
}

function withinSize(found: StoredDump[]): StoredDump[] {
  let size = 0;
  const end = found.findIndex((stored) => {
    size += stored.size;
    return size > PAGE_CHARACTERS;
  });
  return end === -1 ? found : found.slice(0, Math.max(1, end));
}

async function bodiesOf(page: StoredDump[], store: DumpStore): Promise<string[]> {
  const bodies = await store.bodies(page.map((stored) => stored.position));
  return page.flatMap(({ position }) => bodies.get(position) ?? []);
}

/** With `after` there is always a way on; otherwise null says that this was the last page. */
function nextCursor({ list }: ResolvedListQuery, page: StoredDump[], cut: boolean): string | null {
  const last = page.at(-1)?.position;
  if (list.after !== undefined) return cursorOf(last ?? list.after);
  return last !== undefined && (cut || page.length === list.limit) ? cursorOf(last) : null;
}

function head({ position, size: _size, ...rest }: StoredDump) {
  return { cursor: cursorOf(position), ...rest };
}

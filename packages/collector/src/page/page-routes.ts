import type { Dump } from '@hangwatch/protocol';
import { formatDump } from '@hangwatch/report';
import type { FastifyInstance } from 'fastify';
import { HangwatchCollectorError } from '../collector-error.ts';
import type { CollectorContext } from '../http/collector-context.ts';
import { cursorOf, resolveListQuery } from '../http/list-query.ts';
import { bodyOf } from '../http/read-routes.ts';
import { dumpPage } from './dump-page.ts';
import { listPage } from './list-page.ts';
import { messagePage } from './message-page.ts';
import { style } from './style.ts';

const PAGE_TYPE = 'text/html; charset=utf-8';
const PAGE_LIMIT = '50';

interface DumpRoute {
  Params: { id: string };
}

/** `GET /` and `GET /dumps/:id`: the pages; they need no script. `GET /dumps/:id/text` is the dump as `hangwatch show` prints it. */
export async function pageRoutes(app: FastifyInstance, { store }: CollectorContext): Promise<void> {
  app.get<{ Querystring: { before?: string } }>('/', async (request, reply) => {
    const { before } = request.query;
    const query = { limit: PAGE_LIMIT, ...(before === undefined ? {} : { before }) };
    const { list } = await resolveListQuery(query, store);
    // One more than is shown tells whether there is an older page.
    const found = await store.list({ ...list, limit: list.limit + 1 });
    const dumps = found.slice(0, list.limit);
    const last = dumps.at(-1);
    const next = found.length > dumps.length && last !== undefined ? cursorOf(last.position) : null;
    return reply.type(PAGE_TYPE).send(listPage({ dumps, now: new Date(), older: before !== undefined, next }));
  });

  const load = async (id: string): Promise<Dump> => JSON.parse(await bodyOf(id, store));

  app.get<DumpRoute>('/dumps/:id', async (request, reply) => {
    try {
      return await reply.type(PAGE_TYPE).send(dumpPage(await load(request.params.id), new Date()));
    } catch (error) {
      if (!(error instanceof HangwatchCollectorError) || error.status !== 404) throw error;
      return reply
        .code(404)
        .type(PAGE_TYPE)
        .send(messagePage('There is no such dump. It may have been deleted for its age.'));
    }
  });

  app.get<DumpRoute>('/dumps/:id/text', async (request, reply) => {
    const text = formatDump(await load(request.params.id), { now: new Date() });
    return reply.type('text/plain; charset=utf-8').send(`${text}\n`);
  });

  app.get('/style.css', (_request, reply) =>
    reply.type('text/css; charset=utf-8').header('cache-control', 'max-age=300').send(style),
  );
  app.get('/favicon.ico', (_request, reply) => reply.code(204).send());
}

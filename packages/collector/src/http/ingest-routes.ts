import type { IncomingMessage } from 'node:http';
import type { Dump } from '@hangwatch/protocol';
import type { FastifyInstance } from 'fastify';
import { HangwatchCollectorError } from '../collector-error.ts';
import { newDump } from '../store/new-dump.ts';
import type { CollectorContext } from './collector-context.ts';
import { MEDIA_TYPE_MESSAGE } from './error-replies.ts';
import { parseJsonDump, parseNdjsonDumps } from './parse-dumps.ts';
import { readBody } from './read-body.ts';

/** `POST /v1/dumps`: one dump as JSON, or any number as NDJSON. It answers when all of them are durably stored, or none. */
export async function ingestRoutes(app: FastifyInstance, { store, feed, limits }: CollectorContext): Promise<void> {
  app.addContentTypeParser('application/json', async (_request: unknown, payload: IncomingMessage) => [
    parseJsonDump(await readBody(payload, limits)),
  ]);
  app.addContentTypeParser('application/x-ndjson', async (_request: unknown, payload: IncomingMessage) =>
    parseNdjsonDumps(await readBody(payload, limits), limits.dumpsPerRequest),
  );
  app.post<{ Body: Dump[] | undefined | null }>('/v1/dumps', async (request, reply) => {
    // No parser was asked: neither a content type nor a body.
    if (!request.body) throw new HangwatchCollectorError('HANGWATCH_ERR_MEDIA_TYPE', MEDIA_TYPE_MESSAGE);
    const receivedAt = new Date();
    const result = await store.add(request.body.map((dump) => newDump(dump, receivedAt)));
    if (result.accepted > 0) feed.announce();
    return reply.code(202).send(result);
  });
}

import type { FastifyInstance } from 'fastify';
import type { CollectorContext } from './collector-context.ts';

/** `GET /healthz`: 200 while the store works, 503 when it does not. */
export async function healthRoute(app: FastifyInstance, { store }: CollectorContext): Promise<void> {
  app.get('/healthz', async () => {
    await store.check();
    return { status: 'ok' };
  });
}

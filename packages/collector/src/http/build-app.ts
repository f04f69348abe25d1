import fastify, { type FastifyInstance } from 'fastify';
import { pageRoutes } from '../page/page-routes.ts';
import type { ResolvedOptions } from '../resolve-options.ts';
import type { CollectorContext } from './collector-context.ts';
import { installErrorReplies } from './error-replies.ts';
import { healthRoute } from './health-route.ts';
import { ingestRoutes } from './ingest-routes.ts';
import { readRoutes } from './read-routes.ts';
import { installSecurity } from './security-hooks.ts';

const KEEP_ALIVE_MS = 5_000;

/** Puts the HTTP server together; it does not listen yet. */
export function buildApp(options: ResolvedOptions, context: CollectorContext): FastifyInstance {
  const { requestTimeoutMs } = options;
  const app = fastify({
    logger: false,
    // Header and body each have to arrive in time: a client that sends a byte now and then holds nothing for long.
    requestTimeout: requestTimeoutMs,
    keepAliveTimeout: KEEP_ALIVE_MS,
    // Fastify's own limit is for the parsers it brings; ours count for themselves.
    bodyLimit: Number.MAX_SAFE_INTEGER,
    http: {
      headersTimeout: Math.min(10_000, requestTimeoutMs),
      connectionsCheckingInterval: Math.min(1_000, Math.ceil(requestTimeoutMs / 4)),
    },
    routerOptions: { ignoreTrailingSlash: true, maxParamLength: 200 },
  });
  app.removeAllContentTypeParsers();
  // A client that keeps its connection alive after the answer would keep a server that closes as well.
  app.addHook('onSend', async (_request, reply) => {
    if (context.feed.closed) reply.header('connection', 'close');
  });
  installErrorReplies(app, options.onInternalError);
  installSecurity(app, options.token, options.allowedHosts);
  for (const routes of [healthRoute, ingestRoutes, readRoutes, pageRoutes]) app.register(routes, context);
  return app;
}

import type { FastifyInstance } from 'fastify';
import { HangwatchCollectorError } from '../collector-error.ts';
import { isAllowedHost } from './allowed-host.ts';
import { tokenGuard } from './authorize.ts';

const HEADERS = {
  'content-security-policy':
    "default-src 'none'; style-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'",
  'x-content-type-options': 'nosniff',
  'referrer-policy': 'no-referrer',
  'cross-origin-opener-policy': 'same-origin',
  'cross-origin-resource-policy': 'same-origin',
  'cache-control': 'no-store',
} as const;

/** What needs no token: it tells nothing. */
const OPEN_ROUTES = new Set(['/healthz']);

/**
 * Lets in who may, before any of the body is read: senders with `Bearer TOKEN`, readers also with `Basic` and the token as password, so that a
 * browser can ask for it. Without a token only the `Host` header is looked at.
 */
export function installSecurity(
  app: FastifyInstance,
  token: string | undefined,
  allowedHosts: readonly string[],
): void {
  const guard = tokenGuard(token);
  app.addHook('onRequest', async (request, reply) => {
    reply.headers(HEADERS);
    const path = request.url.split('?')[0] ?? '';
    if (OPEN_ROUTES.has(path)) return;
    if (token === undefined) {
      if (isAllowedHost(request.headers.host, allowedHosts)) return;
      throw new HangwatchCollectorError(
        'HANGWATCH_ERR_FORBIDDEN_HOST',
        'this collector does not answer to this Host header',
      );
    }
    const reads = request.method === 'GET' || request.method === 'HEAD';
    const { authorization } = request.headers;
    if (guard.allowsBearer(authorization) || (reads && guard.allowsBasic(authorization))) return;
    const forPeople = reads && !path.startsWith('/v1/');
    reply.header(
      'www-authenticate',
      forPeople ? 'Basic realm="hangwatch", charset="UTF-8"' : 'Bearer realm="hangwatch"',
    );
    throw new HangwatchCollectorError('HANGWATCH_ERR_UNAUTHORIZED', 'the token is missing or wrong');
  });
}

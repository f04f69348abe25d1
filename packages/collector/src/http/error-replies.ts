import type { FastifyError, FastifyInstance } from 'fastify';
import { type CollectorErrorCode, HangwatchCollectorError } from '../collector-error.ts';

/** What is wrong with a content type that is not accepted. */
export const MEDIA_TYPE_MESSAGE = 'the content type must be application/json or application/x-ndjson';

/**
 * Answers errors as `{ error: { code, message, issues? } }`. What the collector itself is to blame for is told to `onInternalError`; the client
 * learns of it no more than that it happened.
 */
export function installErrorReplies(app: FastifyInstance, onInternalError: (error: unknown) => void): void {
  app.setNotFoundHandler((request) => {
    throw new HangwatchCollectorError(
      'HANGWATCH_ERR_NOT_FOUND',
      `there is no route ${request.method} ${request.url.split('?')[0]?.slice(0, 200)}`,
    );
  });
  app.setErrorHandler((error: FastifyError | HangwatchCollectorError, _request, reply) => {
    const known = error instanceof HangwatchCollectorError ? error : fromFastify(error);
    if (known.status >= 500) onInternalError(known.cause ?? known);
    if (known.status === 413) reply.header('connection', 'close'); // part of the body may be unread
    if (known.status === 503 || known.status === 507) reply.header('retry-after', '5');
    return reply.code(known.status).send({
      error: {
        code: known.code,
        message: known.status === 500 ? 'internal error' : known.message,
        ...(known.issues.length > 0 ? { issues: known.issues } : {}),
      },
    });
  });
}

function fromFastify(error: FastifyError): HangwatchCollectorError {
  const codes: Record<number, CollectorErrorCode> = {
    400: 'HANGWATCH_ERR_BODY',
    404: 'HANGWATCH_ERR_NOT_FOUND',
    413: 'HANGWATCH_ERR_TOO_LARGE',
    414: 'HANGWATCH_ERR_QUERY',
    415: 'HANGWATCH_ERR_MEDIA_TYPE',
  };
  const code = codes[error.statusCode ?? 500];
  if (code === 'HANGWATCH_ERR_MEDIA_TYPE') {
    return new HangwatchCollectorError(code, MEDIA_TYPE_MESSAGE, { cause: error });
  }
  return new HangwatchCollectorError(code ?? 'HANGWATCH_ERR_INTERNAL', error.message, { cause: error });
}

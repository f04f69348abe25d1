/** Every error of the collector: its code, the HTTP status that it is answered with where it comes of a request, and what it means. */
export const COLLECTOR_ERRORS = {
  HANGWATCH_ERR_OPTION: { status: 500, meaning: 'an option has a value that cannot be used' },
  HANGWATCH_ERR_INSECURE_HOST: { status: 500, meaning: 'the host is not loopback and there is no token' },
  HANGWATCH_ERR_LISTEN: { status: 500, meaning: 'the address cannot be listened on' },
  HANGWATCH_ERR_NOT_LISTENING: { status: 500, meaning: 'the collector has no URL: it does not listen' },
  HANGWATCH_ERR_STORE_OPEN: { status: 500, meaning: 'the store cannot be opened' },
  HANGWATCH_ERR_STORE: { status: 503, meaning: 'the store failed: nothing of the request is stored, try again' },
  HANGWATCH_ERR_STORE_FULL: { status: 507, meaning: 'the disk is full: nothing of the request is stored' },
  HANGWATCH_ERR_INTERNAL: { status: 500, meaning: 'an error of the collector itself' },
  HANGWATCH_ERR_BODY: { status: 400, meaning: 'the body cannot be decompressed, decoded or parsed' },
  HANGWATCH_ERR_DUMP: { status: 400, meaning: 'a dump is wrong: `issues` says where' },
  HANGWATCH_ERR_QUERY: { status: 400, meaning: 'a query parameter is wrong' },
  HANGWATCH_ERR_UNAUTHORIZED: { status: 401, meaning: 'the token is missing or wrong' },
  HANGWATCH_ERR_FORBIDDEN_HOST: { status: 403, meaning: 'the Host header is not one that this collector answers to' },
  HANGWATCH_ERR_NOT_FOUND: { status: 404, meaning: 'there is no such dump, or no such route' },
  HANGWATCH_ERR_TOO_LARGE: { status: 413, meaning: 'the body is too large, as sent or decompressed' },
  HANGWATCH_ERR_MEDIA_TYPE: { status: 415, meaning: 'the content type or encoding is not one that is accepted' },
} as const;

/** A code of {@link COLLECTOR_ERRORS}. */
export type CollectorErrorCode = keyof typeof COLLECTOR_ERRORS;

/** One thing that is wrong with a request: where, and what. `line` counts from 1 in an NDJSON body. */
export interface RequestIssue {
  line?: number;
  path: string;
  message: string;
}

/**
 * What the collector throws and answers.
 *
 * @example
 * ```ts
 * try {
 *   await createCollector({ host: '0.0.0.0' });
 * } catch (error) {
 *   if (error instanceof HangwatchCollectorError && error.code === 'HANGWATCH_ERR_INSECURE_HOST') console.error(error.message);
 * }
 * ```
 */
export class HangwatchCollectorError extends Error {
  override readonly name = 'HangwatchCollectorError';
  /** What went wrong, stable across versions. */
  readonly code: CollectorErrorCode;
  /** Each thing that is wrong with a request's body; empty for most codes. */
  readonly issues: readonly RequestIssue[];

  constructor(
    code: CollectorErrorCode,
    message: string,
    { issues = [], cause }: { issues?: readonly RequestIssue[]; cause?: unknown } = {},
  ) {
    super(message, cause === undefined ? undefined : { cause });
    this.code = code;
    this.issues = issues;
  }

  /** The HTTP status of the code. */
  get status(): number {
    return COLLECTOR_ERRORS[this.code].status;
  }
}

/** Why the spool did not do what it was asked. */
export type SpoolErrorCode =
  /** The folder is not ours alone: a symbolic link, another user's, no folder. */
  | 'spool-refused'
  /** The system said no: disk full, read-only, no permission. */
  | 'spool-failed'
  /** The disk did not answer in time. */
  | 'spool-stalled';

/** A failure of the spool; the message is for people and names the folder. */
export class SpoolError extends Error {
  override readonly name = 'SpoolError';
  readonly code: SpoolErrorCode;

  constructor(code: SpoolErrorCode, message: string, options?: ErrorOptions) {
    super(message, options);
    this.code = code;
  }
}

/** Any failure as a {@link SpoolError}. */
export function toSpoolError(error: unknown): SpoolError {
  if (error instanceof SpoolError) return error;
  return new SpoolError('spool-failed', error instanceof Error ? error.message : String(error), { cause: error });
}

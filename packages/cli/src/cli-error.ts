/** What a command's process ends with. */
export const EXIT = {
  ok: 0,
  /** Not found, not reachable, not readable. */
  failed: 1,
  /** Called wrongly. */
  usage: 2,
} as const;

/** An error that is told to the person in one line, and ends the command. */
export class CliError extends Error {
  override readonly name = 'CliError';
  /** One of {@link EXIT}. */
  readonly exitCode: number;

  constructor(message: string, { exitCode = EXIT.failed, cause }: { exitCode?: number; cause?: unknown } = {}) {
    super(message, cause === undefined ? undefined : { cause });
    this.exitCode = exitCode;
  }
}

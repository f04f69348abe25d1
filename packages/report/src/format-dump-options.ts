/** Options of {@link formatDump} and {@link formatDumpLine}. */
export interface FormatDumpOptions {
  /**
   * ANSI colours. Whether a terminal wants them (`NO_COLOR`, `FORCE_COLOR`, a TTY) is the caller's to decide.
   * @default false
   */
  color?: boolean;
  /**
   * Columns. Tables and one-line forms are cut to it; stack frames are not, so that a terminal can still open their paths.
   * @default 120
   */
  width?: number;
  /** The reader's time: the age of the dump is shown where it is given. */
  now?: Date;
  /**
   * Paths inside this folder are shown relative to it.
   * @default the dump's `process.cwd`
   */
  cwd?: string;
  /**
   * Stuck requests shown in full; those at the same place as one that is shown take one line together.
   * @default 10
   */
  maxStuck?: number;
  /**
   * Stacks shown of each request.
   * @default 5
   */
  maxStacks?: number;
  /**
   * Rows of the table of the other requests in flight.
   * @default 20
   */
  maxRows?: number;
}

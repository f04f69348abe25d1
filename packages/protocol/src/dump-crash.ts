import type { DumpError } from './dump-request.ts';

/** How a process has ended. */
export interface DumpCrash {
  /**
   * - `uncaught-exception`, `unhandled-rejection`: by an error that nobody caught, or soon after one
   * - `exit`: by `process.exit`, or because there was nothing left to do, with requests in flight
   * - `died`: without a word, as by SIGKILL, an abort or a segmentation fault. The dump is the last record that was kept for that case, and tells of
   *   the process as it was at `at`
   */
  cause: 'uncaught-exception' | 'unhandled-rejection' | 'exit' | 'died';
  exitCode?: number | undefined;
  error?: DumpError | undefined;
  /** How long before the exit the error was, where the application handles uncaught exceptions itself: it may have ended for another reason. */
  handledMs?: number | undefined;
  /** Number of the request in whose context the error was thrown, or `process.exit` was called; left out where it was in none. */
  running?: number | undefined;
  /** Only of `died`: how often the record was renewed, so about how much later than `at` the process may have died. */
  renewedEveryMs?: number | undefined;
}

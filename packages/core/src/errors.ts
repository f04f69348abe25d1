/**
 * Codes of hangwatch's own errors.
 *
 * | code | meaning |
 * |---|---|
 * | `HANGWATCH_ERR_OPTION` | an option or environment variable has a value that cannot be used |
 * | `HANGWATCH_ERR_CONFLICTING_OPTIONS` | a second registration in the process asks for other process-wide options |
 * | `HANGWATCH_ERR_WATCHDOG_START` | the watchdog's thread could not be started; tracking is off |
 * | `HANGWATCH_ERR_WATCHDOG_DIED` | the watchdog's thread ended unasked; it is started again at most three times |
 * | `HANGWATCH_ERR_WATCHDOG_OFF` | it has died for the fourth time: hangwatch is off until the process starts again |
 * | `HANGWATCH_ERR_STACKS_UNAVAILABLE` | await stacks cannot be taken in this runtime, or end early; everything else works |
 * | `HANGWATCH_ERR_CALLBACK` | a callback of the application (`onHang`, `ignore`, `routeName`) threw |
 * | `HANGWATCH_ERR_TABLE_FULL` | more requests are in flight than can be watched; the rest is counted |
 * | `HANGWATCH_ERR_TIMEOUT_ORDER` | a time-out of the server or the framework ends requests before they can be reported as stuck |
 * | `HANGWATCH_ERR_STUCK` | the reason that `currentRequest().signal` is aborted with: the request was reported as stuck |
 * | `HANGWATCH_ERR_SELF_TEST_*` | `selfTest()` failed: `NOT_RUNNING`, `NOT_DETECTED`, `NO_STACK`, `NOT_DELIVERED`; the message says why |
 * | `HANGWATCH_ERR_INTERNAL` | something unexpected inside hangwatch; requests are not affected |
 * | `HANGWATCH_ERR_DELIVERY_*` | a report could not be delivered as configured; see the message |
 */
export type HangwatchErrorCode =
  | 'HANGWATCH_ERR_OPTION'
  | 'HANGWATCH_ERR_CONFLICTING_OPTIONS'
  | 'HANGWATCH_ERR_WATCHDOG_START'
  | 'HANGWATCH_ERR_WATCHDOG_DIED'
  | 'HANGWATCH_ERR_WATCHDOG_OFF'
  | 'HANGWATCH_ERR_STACKS_UNAVAILABLE'
  | 'HANGWATCH_ERR_CALLBACK'
  | 'HANGWATCH_ERR_TABLE_FULL'
  | 'HANGWATCH_ERR_TIMEOUT_ORDER'
  | 'HANGWATCH_ERR_STUCK'
  | 'HANGWATCH_ERR_INTERNAL'
  | `HANGWATCH_ERR_SELF_TEST_${SelfTestFailure}`
  | `HANGWATCH_ERR_DELIVERY_${string}`;

/** The step at which a self-test failed. */
export type SelfTestFailure = 'NOT_RUNNING' | 'NOT_DETECTED' | 'NO_STACK' | 'NOT_DELIVERED';

/**
 * The one error class of hangwatch. Thrown only where options are given; afterwards errors go to `onInternalError`.
 *
 * @example
 * try { hangwatch({ timeout: -1 }) } catch (error) { error.code } // 'HANGWATCH_ERR_OPTION'
 */
export class HangwatchError extends Error {
  override readonly name = 'HangwatchError';
  readonly code: HangwatchErrorCode;

  constructor(code: HangwatchErrorCode, message: string, options?: { cause?: unknown }) {
    super(message, options);
    this.code = code;
  }
}

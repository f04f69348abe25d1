import { HangwatchError } from '../../errors.ts';
import { describeValue } from '../evidence/describe-value.ts';
import { MAX_MS } from '../options/route-override.ts';
import { existingTracker, isSwitchedOff } from '../process/process-tracker.ts';
import type { SelfTestPassed } from './self-test.ts';

const DEFAULT_LIMIT_MS = 30_000;

/** Options of {@link selfTest}. */
export interface SelfTestOptions {
  /** Milliseconds after which the test has failed. @default 30_000 */
  readonly timeout?: number | undefined;
}

/** A self-test that did nothing, and why. */
export interface SelfTestSkipped {
  readonly ok: false;
  readonly skipped: string;
}

/** What {@link selfTest} resolves to. */
export type SelfTestResult = SelfTestPassed | SelfTestSkipped;

/**
 * Proves that the alarm works: makes a request of its own hang in this process, waits until the watchdog has found it where it is, and
 * until a collector has acknowledged the report. The report says what it is (`selfTest: true`), a `recovered` follows, `onHang` is not
 * called, and nothing is left behind. It takes some two seconds with the default `scanInterval`. One runs at a time: whoever asks meanwhile gets its result.
 *
 * Where hangwatch is switched off nothing is done, and the result says so.
 *
 * @throws {HangwatchError} `HANGWATCH_ERR_SELF_TEST_NOT_RUNNING`, `…_NOT_DETECTED`, `…_NO_STACK` or `…_NOT_DELIVERED`, with the reason
 * @example
 * const { ok } = await selfTest(); // at start, before the application says that it is ready
 */
export async function selfTest(options: SelfTestOptions = {}): Promise<SelfTestResult> {
  const { timeout = DEFAULT_LIMIT_MS } = options;
  if (typeof timeout !== 'number' || !(timeout >= 1 && timeout <= MAX_MS)) {
    throw new HangwatchError(
      'HANGWATCH_ERR_OPTION',
      `options.timeout must be a positive number of milliseconds, got ${describeValue(timeout)}`,
    );
  }
  const tracker = existingTracker();
  if (tracker !== undefined) return tracker.selfTest(timeout);
  if (isSwitchedOff()) {
    return { ok: false, skipped: 'hangwatch is switched off (enabled: false, HANGWATCH_DISABLED, or a test runner)' };
  }
  throw new HangwatchError(
    'HANGWATCH_ERR_SELF_TEST_NOT_RUNNING',
    'self-test failed, the watchdog is not running: no application of this process has registered hangwatch, or it has been closed',
  );
}

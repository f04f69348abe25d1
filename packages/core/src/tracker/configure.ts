import type { Configuration } from '../options.ts';
import { resolveConfiguration } from './options/resolve-configuration.ts';
import { existingTracker } from './process/process-tracker.ts';

/**
 * Changes thresholds, routes and what is ignored while the process runs, for every registration there is: requests in flight follow at once.
 * To change one registration, use its own `configure`. What is not given stays as it is.
 *
 * @throws {HangwatchError} `HANGWATCH_ERR_OPTION` when something is wrong; then nothing has changed
 * @example
 * configure({ timeout: 5_000, routes: { 'GET /export': { timeout: 120_000 }, '/events': false } });
 */
export function configure(change: Configuration): void {
  const resolved = resolveConfiguration(change);
  existingTracker()?.configure(resolved);
}

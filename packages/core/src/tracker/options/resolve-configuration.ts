import { HangwatchError } from '../../errors.ts';
import type { Configuration } from '../../options.ts';
import { describeValue } from '../evidence/describe-value.ts';
import { checkRules, listOf } from './resolve-options.ts';
import { resolveRoutes } from './resolve-routes.ts';
import type { RuleChange } from './rules.ts';

/**
 * Checks what `configure` was given.
 *
 * @throws {HangwatchError} `HANGWATCH_ERR_OPTION`: `configure(change).timeout must be a positive number of milliseconds, got "abc"`
 */
export function resolveConfiguration(change: unknown): RuleChange {
  const where = 'configure(change)';
  if (typeof change !== 'object' || change === null || Array.isArray(change)) {
    throw new HangwatchError('HANGWATCH_ERR_OPTION', `${where} must be an object, got ${describeValue(change)}`);
  }
  checkRules(where, change);
  const { timeout, maxDuration, respond, abort, level, ignore, routes } = change as Configuration;
  return {
    timeoutMs: timeout,
    maxDurationMs: maxDuration === false ? 0 : maxDuration,
    respondStatus: respond === false ? 0 : respond,
    abort,
    level,
    ignore: ignore === undefined ? undefined : listOf(ignore),
    routes: resolveRoutes(routes, `${where}.routes`),
  };
}

import { describeValue } from '../evidence/describe-value.ts';
import { optionError } from './option-error.ts';
import { MAX_MS } from './route-override.ts';

const DEFAULT_THRESHOLD_MS = 1_000;
/** Below this, what is an ordinary callback for one application would be a report for another. */
const SHORTEST_MS = 50;
const DURATION = `a number of milliseconds from ${SHORTEST_MS} to ${MAX_MS}`;
const OFF = ['0', 'false', 'no', 'off'];

/** The option `blockedLoop`, complete. */
export interface ResolvedBlockedLoop {
  readonly blockedLoopMs: number;
  readonly blockedLoopStack: boolean;
}

/**
 * Checks the option and completes it from HANGWATCH_BLOCKED_LOOP: a threshold, or `off`.
 *
 * @throws {HangwatchError} `HANGWATCH_ERR_OPTION`
 */
export function resolveBlockedLoop(option: unknown, env: NodeJS.ProcessEnv): ResolvedBlockedLoop {
  if (option === false) return { blockedLoopMs: 0, blockedLoopStack: false };
  if (option === undefined) return { blockedLoopMs: environmentThreshold(env), blockedLoopStack: true };
  if (typeof option !== 'object' || option === null || Array.isArray(option))
    throw optionError('options.blockedLoop', `must be an object or false, got ${describeValue(option)}`);
  const { threshold, stack = true, ...rest } = option as Readonly<Record<string, unknown>>;
  const [unknown] = Object.keys(rest);
  if (unknown !== undefined)
    throw optionError(`options.blockedLoop.${unknown}`, 'is not an option; threshold, stack are');
  if (threshold !== undefined && !isThreshold(threshold))
    throw optionError('options.blockedLoop.threshold', `must be ${DURATION}, got ${describeValue(threshold)}`);
  if (typeof stack !== 'boolean')
    throw optionError('options.blockedLoop.stack', `must be true or false, got ${describeValue(stack)}`);
  return { blockedLoopMs: isThreshold(threshold) ? threshold : environmentThreshold(env), blockedLoopStack: stack };
}

function environmentThreshold(env: NodeJS.ProcessEnv): number {
  const value = env['HANGWATCH_BLOCKED_LOOP'];
  if (value === undefined || value === '') return DEFAULT_THRESHOLD_MS;
  if (OFF.includes(value.toLowerCase())) return 0;
  const thresholdMs = Number(value);
  if (isThreshold(thresholdMs)) return thresholdMs;
  throw optionError('HANGWATCH_BLOCKED_LOOP', `must be ${DURATION} or off, got ${describeValue(value)}`);
}

const isThreshold = (value: unknown): value is number =>
  typeof value === 'number' && value >= SHORTEST_MS && value <= MAX_MS;

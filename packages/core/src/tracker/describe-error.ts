import { errorFrames } from '@hangwatch/async-hooks-helpers';
import type { DumpError } from '@hangwatch/protocol';

/** Frames and characters kept of an error. */
const ERROR_FRAMES = 32;
const LONGEST_CLASS = 100;
const LONGEST_MESSAGE = 1_000;

/** An error of the application's, or whatever else it throws: class and frames, and the message only where the application asks for it. */
export function describeError(error: unknown, withMessage: boolean): DumpError {
  const message = withMessage ? messageOf(error) : undefined;
  return {
    class: classOf(error),
    frames: errorFrames(error, ERROR_FRAMES).map((frame) => ({ ...frame })),
    ...(message === undefined ? {} : { message: message.slice(0, LONGEST_MESSAGE) }),
  };
}

/** The constructor's name, which stands in the source; an error's `name` may be anything. */
function classOf(value: unknown): string {
  if ((typeof value !== 'object' && typeof value !== 'function') || value === null) return String(typeof value);
  try {
    const { constructor: made } = value as { constructor?: unknown };
    if (typeof made === 'function' && made.name !== '') return made.name.slice(0, LONGEST_CLASS);
  } catch {
    return 'object';
  }
  return 'object';
}

function messageOf(value: unknown): string | undefined {
  if (typeof value === 'string') return value;
  try {
    const { message } = Object(value) as { message?: unknown };
    return typeof message === 'string' ? message : undefined;
  } catch {
    return undefined;
  }
}

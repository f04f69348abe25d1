import { types } from 'node:util';
import { errorFrames } from '@hangwatch/async-hooks-helpers';
import type { DumpError } from '@hangwatch/protocol';

/** Frames and characters kept of an error. */
const ERROR_FRAMES = 32;
const LONGEST_CLASS = 100;
const DEEPEST_CLASS = 100;
const LONGEST_MESSAGE = 1_000;

/** An error of the application's, or whatever else it throws: class and frames, and the message only where the application asks for it. */
export function describeError(error: unknown, withMessage: boolean): DumpError {
  const message = withMessage ? messageOf(error) : undefined;
  return {
    class: errorClass(error),
    frames: errorFrames(error, ERROR_FRAMES).map((frame) => ({ ...frame })),
    ...(message === undefined ? {} : { message: message.slice(0, LONGEST_MESSAGE) }),
  };
}

/**
 * The name of the class, as it stands in the source; an error's own `name` may be anything. No code of the application's runs: no getter, no
 * trap of a proxy.
 */
export function errorClass(value: unknown): string {
  if (typeof value !== 'object' && typeof value !== 'function') return typeof value;
  let object: unknown = value;
  for (let depth = 0; depth < DEEPEST_CLASS && isPlain(object); depth++) {
    const made = Object.getOwnPropertyDescriptor(object, 'constructor');
    if (made !== undefined) return nameOf(made.value);
    object = Object.getPrototypeOf(object);
  }
  return 'object';
}

function nameOf(made: unknown): string {
  const name: unknown = isPlain(made) ? Object.getOwnPropertyDescriptor(made, 'name')?.value : undefined;
  return typeof name === 'string' && name !== '' ? name.slice(0, LONGEST_CLASS) : 'object';
}

const isPlain = (value: unknown): value is object =>
  ((typeof value === 'object' && value !== null) || typeof value === 'function') && !types.isProxy(value);

function messageOf(value: unknown): string | undefined {
  if (typeof value === 'string') return value;
  try {
    const { message } = Object(value) as { message?: unknown };
    return typeof message === 'string' ? message : undefined;
  } catch {
    return undefined;
  }
}

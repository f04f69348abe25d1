import { HangwatchError } from '@hangwatch/core';
import { asyncMutex } from './async-mutex.ts';
import { genericPool } from './generic-pool.ts';
import type { Instrumentation } from './instrumentation.ts';
import { pLimit } from './p-limit.ts';
import { pgPool } from './pg-pool.ts';

/** What {@link instrument} can be told. */
export interface InstrumentOptions {
  /** What reports call it: short and without secrets. */
  readonly name: string;
  /** What one has acquired others may release, as where it is used to signal: nothing is proven by it. @default false */
  readonly handedOver?: boolean;
}

const KNOWN: readonly Instrumentation[] = [asyncMutex, pLimit, genericPool, pgPool];
const instrumented = new WeakSet<object>();

/**
 * Makes a lock, pool or queue of a known library tell hangwatch who waits for it and who holds it. It is recognised by what it can do: nothing is imported.
 * Call it once, right where the thing is made, and use what it returns: for p-limit that is another function.
 *
 * Known: `Mutex` and `Semaphore` of async-mutex, p-limit, generic-pool, pg-pool (`pg.Pool`).
 *
 * @returns the thing itself, or what stands in its place
 * @throws {HangwatchError} `HANGWATCH_ERR_OPTION` for anything else, and for what is in use already
 * @example
 * const writing = instrument(new Mutex(), { name: 'audit log' });
 * const database = instrument(new pg.Pool({ max: 10 }), { name: 'orders' });
 * const limit = instrument(pLimit(4), { name: 'thumbnails' });
 */
export function instrument<T extends object>(thing: T, options: InstrumentOptions): T {
  const name: unknown = options?.name;
  if (typeof name !== 'string' || name === '')
    throw new HangwatchError(
      'HANGWATCH_ERR_OPTION',
      'instrument(thing, { name }): name must be a string that is not empty',
    );
  if ((typeof thing !== 'object' && typeof thing !== 'function') || thing === null)
    throw new HangwatchError('HANGWATCH_ERR_OPTION', `${callText(name)}: ${String(thing)} is no lock, pool or queue`);
  if (instrumented.has(thing)) return thing;
  const found = KNOWN.find((each) => each.recognises(thing));
  if (found === undefined) {
    const known = KNOWN.map(({ library }) => library).join(', ');
    throw new HangwatchError(
      'HANGWATCH_ERR_OPTION',
      `${callText(name)}: not one of the things that are known (${known})`,
    );
  }
  const reason = found.refuses(thing);
  if (reason !== undefined) throw new HangwatchError('HANGWATCH_ERR_OPTION', `${callText(name)}: ${reason}`);
  const result = found.instrument(thing, name, { handedOver: options.handedOver === true });
  instrumented.add(thing);
  instrumented.add(result);
  // An instrumentation gives back what it was given, or something of the same shape.
  return result as T;
}

const callText = (name: string): string => `instrument(thing, { name: ${JSON.stringify(name)} })`;

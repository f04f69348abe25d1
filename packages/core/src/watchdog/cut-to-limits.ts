import { DUMP_LIMITS, type Dump } from '@hangwatch/protocol';

/**
 * The dump with every string and list cut to what a collector takes: a dump that is refused is a hang that nobody hears of, and
 * routes, labels and file names are as long as an application makes them.
 */
export function cutToLimits(dump: Dump): Dump {
  return cut(dump, '') as Dump;
}

const LISTS: Readonly<Record<string, number>> = {
  requests: DUMP_LIMITS.requests,
  stacks: DUMP_LIMITS.stacks,
  awaits: DUMP_LIMITS.stacks,
  waitsFor: DUMP_LIMITS.waits,
  trail: DUMP_LIMITS.trail,
  alsoAwaitedBy: DUMP_LIMITS.waits,
};

function cut(value: unknown, key: string): unknown {
  if (typeof value === 'string')
    return value.length > DUMP_LIMITS.text ? `${value.slice(0, DUMP_LIMITS.text - 1)}…` : value;
  // Lists inside `stacks` have no name of their own: they are the frames of one stack.
  if (Array.isArray(value)) return value.slice(0, LISTS[key] ?? DUMP_LIMITS.frames).map((each) => cut(each, ''));
  if (typeof value !== 'object' || value === null) return value;
  return Object.fromEntries(Object.entries(value).map(([name, each]) => [name, cut(each, name)]));
}

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
  holds: DUMP_LIMITS.waits,
  edges: DUMP_LIMITS.edges,
  cycles: DUMP_LIMITS.cycles,
  trail: DUMP_LIMITS.trail,
  entries: DUMP_LIMITS.recorder,
  alsoAwaitedBy: DUMP_LIMITS.waits,
};

/** What fits is given back as it is: of a dump of ten thousand requests, nothing is copied. */
function cut(value: unknown, key: string): unknown {
  if (typeof value === 'string')
    return value.length > DUMP_LIMITS.text ? `${value.slice(0, DUMP_LIMITS.text - 1)}…` : value;
  if (Array.isArray(value)) return cutList(value, key);
  if (typeof value !== 'object' || value === null) return value;
  const fields = value as Readonly<Record<string, unknown>>;
  let copy: Record<string, unknown> | undefined;
  for (const name of Object.keys(fields)) {
    const fits = cut(fields[name], name);
    if (fits === fields[name]) continue;
    copy ??= { ...fields };
    copy[name] = fits;
  }
  return copy ?? value;
}

function cutList(list: readonly unknown[], key: string): readonly unknown[] {
  // Lists inside `stacks` have no name of their own: they are the frames of one stack.
  const most = LISTS[key] ?? DUMP_LIMITS.frames;
  let copy = list.length > most ? list.slice(0, most) : undefined;
  for (let i = 0; i < Math.min(list.length, most); i++) {
    const fits = cut(list[i], '');
    if (fits === list[i]) continue;
    copy ??= [...list];
    copy[i] = fits;
  }
  return copy ?? list;
}

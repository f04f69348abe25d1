import type { AwaitContext } from './await-context.ts';
import type { CallSite } from './call-site.ts';

/** What one outstanding await shows by itself, before fragments are joined. */
export interface Fragment {
  promise: object;
  /** Innermost first. */
  frames: readonly CallSite[];
  /** Clock when the await began, int32. */
  since: number;
  /** Clock when the latest await on this stack began, int32. */
  latest: number;
  /** Place in the context's list, oldest first. */
  readonly index: number;
  /** How many awaits show these frames. */
  count: number;
  captured: boolean;
  /** Where the promise was made, if its context notes that. */
  created: readonly CallSite[] | undefined;
  alsoAwaitedBy: readonly AwaitContext[];
}

/** The later of two readings of a clock that wraps around. */
export function laterOf(a: number, b: number): number {
  return ((a - b) | 0) > 0 ? a : b;
}

/** Puts what is known of `added`, whose frames are the same, into `present`: the older await speaks for both. */
export function merged(present: Fragment, added: Fragment): Fragment {
  if (laterOf(present.since, added.since) !== added.since) {
    present.since = added.since;
    present.promise = added.promise;
  }
  present.latest = laterOf(present.latest, added.latest);
  present.count += added.count;
  if (added.alsoAwaitedBy.length > 0)
    present.alsoAwaitedBy = [...new Set([...present.alsoAwaitedBy, ...added.alsoAwaitedBy])];
  return present;
}

import { FLAG_UNWATCHED } from '../../shared/slot-layout.ts';
import type { Gathered } from '../table/main-thread.ts';
import { type Suspect, suspect, type Watched } from '../table/scanner.ts';

/** Those that can never go on either, whether or not their own time is up: a deadlock is reported whole. */
export function deadlockedBeside(
  suspects: readonly Suspect[],
  { graph }: Pick<Gathered, 'graph'>,
  inFlight: readonly Watched[],
): Suspect[] {
  if (graph === undefined || graph.deadlocked.size === 0) return [];
  const known = new Set(suspects.map(({ watched }) => watched));
  return inFlight
    .filter((watched) => graph.deadlocked.has(watched.reading.request) && !known.has(watched))
    .filter(({ reading, episode }) => (reading.flags & FLAG_UNWATCHED) === 0 && episode?.exhausted !== true)
    .map((watched) => suspect(watched, 'still'));
}

import type { DumpFrame, DumpSeenPlace } from '@hangwatch/protocol';
import type { LookResult } from '../../shared/worker-protocol.ts';
import type { MainThread } from '../table/main-thread.ts';
import { refOf, type Watched } from '../table/scanner.ts';

/** Requests looked at in one scan. */
const LOOKS_A_SCAN = 16;
/** Places told apart of one request; what alternates between more is no loop. */
const MOST_PLACES = 8;

/**
 * Where requests are seen while they come near their longest duration: a loop that never ends shows as the few places between which it
 * alternates. One look a scan, within the main thread's budget for looks.
 */
export class SlowPlaces {
  readonly #main: Pick<MainThread, 'look'>;
  /** How often a place was seen, by request and by place. */
  readonly #seen = new WeakMap<Watched, Map<string, { readonly frame: DumpFrame; times: number }>>();
  #looking = false;

  constructor(main: Pick<MainThread, 'look'>) {
    this.#main = main;
  }

  /** Looks at the requests, unless a look is under way. */
  async look(nearlySlow: readonly Watched[]): Promise<void> {
    if (nearlySlow.length === 0 || this.#looking) return;
    this.#looking = true;
    try {
      const asked = nearlySlow.slice(0, LOOKS_A_SCAN);
      const bySlot = new Map(asked.map((watched) => [watched.slot, watched]));
      for (const result of await this.#main.look(asked.map(refOf))) {
        const watched = bySlot.get(result.slot);
        if (watched?.generation === result.generation) this.#note(watched, result);
      }
    } finally {
      this.#looking = false;
    }
  }

  /** Where the request was seen, most often first; `undefined` where it never was. */
  of(watched: Watched): DumpSeenPlace[] | undefined {
    const seen = this.#seen.get(watched);
    if (seen === undefined) return undefined;
    return [...seen.values()].sort((a, b) => b.times - a.times).map(({ frame, times }) => ({ frame, times }));
  }

  #note(watched: Watched, { place }: LookResult): void {
    if (place === undefined) return;
    const seen = this.#seen.get(watched) ?? new Map<string, { readonly frame: DumpFrame; times: number }>();
    if (seen.size === 0) this.#seen.set(watched, seen);
    const key = `${place.file}:${place.line}:${place.column}`;
    const known = seen.get(key);
    if (known !== undefined) known.times += 1;
    else if (seen.size < MOST_PLACES) seen.set(key, { frame: place, times: 1 });
  }
}

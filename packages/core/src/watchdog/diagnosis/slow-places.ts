import type { DumpFrame, DumpSeenPlace } from '@hangwatch/protocol';
import type { LookResult } from '../../shared/worker-protocol.ts';
import type { MainThread } from '../table/main-thread.ts';
import { refOf, type Watched } from '../table/scanner.ts';

/** Requests looked at in one scan. */
const LOOKS_A_SCAN = 16;
/** Places told apart of one request; what alternates between more is no loop. */
const MOST_PLACES = 8;

interface Seen {
  readonly places: Map<string, { readonly frame: DumpFrame; times: number }>;
  last: string;
  byTurns: boolean;
}

/** Where a request was seen. */
export interface SeenAt {
  /** Most often first. */
  readonly places: DumpSeenPlace[];
  /** It came back to one of them: otherwise it may be through with all but one. */
  readonly byTurns: boolean;
}

/**
 * Where requests are seen while they come near their longest duration: a loop that never ends shows as the few places between which it
 * alternates. One look a scan, within the main thread's budget for looks.
 */
export class SlowPlaces {
  readonly #main: Pick<MainThread, 'look'>;
  readonly #seen = new WeakMap<Watched, Seen>();
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

  /** Where the request was seen; `undefined` where it never was. */
  of(watched: Watched): SeenAt | undefined {
    const seen = this.#seen.get(watched);
    if (seen === undefined) return undefined;
    const places = [...seen.places.values()].sort((a, b) => b.times - a.times);
    return { places: places.map(({ frame, times }) => ({ frame, times })), byTurns: seen.byTurns };
  }

  #note(watched: Watched, { place }: LookResult): void {
    if (place === undefined) return;
    const key = `${place.file}:${place.line}:${place.column}`;
    const seen = this.#seen.get(watched) ?? { places: new Map(), last: key, byTurns: false };
    this.#seen.set(watched, seen);
    const known = seen.places.get(key);
    if (known !== undefined) {
      known.times += 1;
      if (seen.last !== key) seen.byTurns = true;
    } else if (seen.places.size < MOST_PLACES) seen.places.set(key, { frame: place, times: 1 });
    seen.last = key;
  }
}

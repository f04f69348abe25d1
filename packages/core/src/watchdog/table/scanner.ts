import { clockAge, FLAG_NOTIFY, FLAG_STAGED, FLAG_UNWATCHED } from '../../shared/slot-layout.ts';
import type { SlotRef } from '../../shared/worker-protocol.ts';
import type { Episode } from '../diagnosis/episode.ts';
import { emptyReading, type SlotReading, type TableReader } from './table-reader.ts';

/** What the watchdog remembers of the request in a slot. Times are milliseconds of the awake clock. */
export interface Watched {
  readonly slot: number;
  readonly generation: number;
  /** As last read. Another object after the next scan. */
  reading: Readonly<SlotReading>;
  /** When anything in the request's context was last seen to move. */
  movedAtMs: number;
  /** When the request itself was last seen to advance. */
  advancedAtMs: number;
  /** When an outbound call of its context was last seen to finish. */
  outboundAtMs: number;
  /** Before this no look is taken at a request that moves without advancing. */
  lookAtMs: number;
  /** Before this it is no suspect: its report has to wait until a storm is over. 0: it never had to. */
  heldUntilMs: number;
  /** The main thread has acted on it though its report has to wait. */
  actedOn: boolean;
  /** What was reported of it, or counted as suppressed: a suspect again only once it has moved on from there. */
  episode: Episode | undefined;
}

export type Suspicion = 'still' | 'moving' | 'slow';

/** A request to investigate, what raised the suspicion, and where it stood then: it may go on while it is looked at. */
export interface Suspect {
  readonly watched: Watched;
  readonly suspicion: Suspicion;
  readonly stood: Readonly<Pick<Watched, 'movedAtMs' | 'advancedAtMs' | 'outboundAtMs'> & Movement>;
}

/** What of a slot moves. */
type Movement = Pick<SlotReading, 'progress' | 'sequence' | 'outbound'>;

export function suspect(watched: Watched, suspicion: Suspicion): Suspect {
  const { movedAtMs, advancedAtMs, outboundAtMs } = watched;
  const { progress, sequence, outbound } = watched.reading;
  return { watched, suspicion, stood: { movedAtMs, advancedAtMs, outboundAtMs, progress, sequence, outbound } };
}

/** The result of one scan. */
export interface Scan {
  readonly suspects: readonly Suspect[];
  readonly inFlight: readonly Watched[];
  /** Those that will soon be as old as their longest duration. */
  readonly nearlySlow: readonly Watched[];
  /** When the next suspicion may fall due, if nothing moves until then. */
  readonly nextDueMs: number;
}

const LONGEST_NEARLY_SLOW_MS = 10_000;

/** Compares the table with what it held at the last scan. A pure state machine: it is given the time. */
export class Scanner {
  readonly #table: TableReader;
  /** By slot number. */
  readonly #watched: (Watched | undefined)[] = [];
  #untold = 0;
  /** What the next slot is read into. */
  #buffer = emptyReading();

  constructor(table: TableReader) {
    this.#table = table;
  }

  scan(nowMs: number): Scan {
    const suspects: Suspect[] = [];
    const inFlight: Watched[] = [];
    const nearlySlow: Watched[] = [];
    let nextDueMs = Number.POSITIVE_INFINITY;
    for (let slot = 0; slot < this.#table.slots; slot++) {
      const watched = this.#read(slot, nowMs);
      if (watched === undefined) continue;
      inFlight.push(watched);
      if ((watched.reading.flags & FLAG_UNWATCHED) !== 0 || watched.episode?.exhausted === true) continue;
      if (watched.heldUntilMs > nowMs) {
        nextDueMs = Math.min(nextDueMs, watched.heldUntilMs);
        continue;
      }
      const suspicion = suspicionOf(watched, nowMs);
      if (watched.heldUntilMs > 0 && suspicion === undefined) this.#isOver(watched);
      if (isNearlySlow(watched, nowMs)) nearlySlow.push(watched);
      if (suspicion !== undefined) suspects.push(suspect(watched, suspicion));
      // A suspect that moves may be acquitted, and stand still from here on.
      if (suspicion === undefined) nextDueMs = Math.min(nextDueMs, dueMs(watched, nowMs));
      else if (suspicion === 'moving') nextDueMs = Math.min(nextDueMs, watched.movedAtMs + watched.reading.timeoutMs);
    }
    return { suspects, inFlight, nearlySlow, nextDueMs };
  }

  /** Somebody's requests, not those of a self-test, and none that came after a moment. */
  inFlight(nowMs: number, thenMs = nowMs): readonly Watched[] {
    return this.scan(nowMs).inFlight.filter((watched) => !isStaged(watched) && !beganAfter(watched, thenMs));
  }

  /** Hangs that were over before their reports might leave, since the last call: the requests have gone on, or ended. */
  takeUntold(): number {
    const untold = this.#untold;
    this.#untold = 0;
    return untold;
  }

  /** Nothing is told any more of those whose reports have to wait. */
  giveUp(): void {
    for (const watched of this.#watched) this.#isOver(watched);
  }

  /** What is remembered of the slot, if the request is still the same. */
  get(slot: number, generation: number): Watched | undefined {
    const watched = this.#watched[slot];
    return watched?.generation === generation ? watched : undefined;
  }

  /** Brings what is remembered of a slot up to date; `undefined` when it is free, or changes hands just now. */
  #read(slot: number, nowMs: number): Watched | undefined {
    const known = this.#watched[slot];
    // Of a hundred thousand requests few have moved since the last scan: for the others, nothing is copied.
    if (known !== undefined && this.#table.isAsRead(slot, known.reading)) return known;
    const reading = this.#buffer;
    if (!this.#table.read(slot, reading)) {
      if ((this.#table.generation(slot) & 1) === 0) {
        this.#isOver(known);
        this.#watched[slot] = undefined;
      }
      return undefined;
    }
    if (known === undefined || known.generation !== reading.generation) {
      this.#isOver(known);
      return this.#begin(slot, nowMs);
    }
    const before = known.reading;
    const advanced = reading.progress !== before.progress;
    const called = reading.outbound !== before.outbound;
    if (advanced) known.advancedAtMs = nowMs;
    if (called) known.outboundAtMs = nowMs;
    if (advanced || called || reading.sequence !== before.sequence) known.movedAtMs = nowMs;
    // The two change places, which copies nothing.
    known.reading = reading;
    this.#buffer = before;
    return known;
  }

  /** The request has ended, or its hang. */
  #isOver(known: Watched | undefined): void {
    if (known === undefined || known.heldUntilMs === 0) return;
    if (known.episode === undefined) this.#untold += 1;
    known.heldUntilMs = 0;
  }

  #begin(slot: number, nowMs: number): Watched {
    const reading = this.#buffer;
    this.#buffer = emptyReading();
    const fresh: Watched = {
      slot,
      generation: reading.generation,
      reading,
      movedAtMs: nowMs,
      advancedAtMs: nowMs,
      outboundAtMs: nowMs,
      lookAtMs: 0,
      heldUntilMs: 0,
      actedOn: false,
      episode: undefined,
    };
    this.#watched[slot] = fresh;
    return fresh;
  }
}

/** Which slot it is, at which occupation. */
export const refOf = ({ slot, generation }: Watched): SlotRef => ({ slot, generation });

/** Whether the main thread wants to act on it once it is called stuck. */
export const isToBeActedOn = ({ reading }: Watched): boolean => (reading.flags & FLAG_NOTIFY) !== 0;

/** Who has been in flight longest comes first. */
export const oldestFirst = (inFlight: readonly Watched[], nowMs: number): readonly Watched[] =>
  [...inFlight].sort((a, b) => elapsedMs(b, nowMs) - elapsedMs(a, nowMs));

/** Milliseconds since the request entered. */
export const elapsedMs = (watched: Watched, nowMs: number): number =>
  clockAge(Math.round(nowMs), watched.reading.startMs);

/** Whether it is a self-test's, which is in nobody's report but its own. */
export const isStaged = ({ reading }: Watched): boolean => (reading.flags & FLAG_STAGED) !== 0;

/** Whether the request entered after a moment of the clock. */
const beganAfter = ({ reading }: Watched, thenMs: number): boolean => ((Math.round(thenMs) - reading.startMs) | 0) < 0;

function suspicionOf(watched: Watched, nowMs: number): Suspicion | undefined {
  const { reading, episode } = watched;
  const { timeoutMs, maxDurationMs } = reading;
  if (nowMs - watched.movedAtMs >= timeoutMs && hasMovedOn(watched)) return 'still';
  if (maxDurationMs > 0 && episode === undefined && elapsedMs(watched, nowMs) >= maxDurationMs) return 'slow';
  if (nowMs - watched.advancedAtMs >= timeoutMs && nowMs >= watched.lookAtMs && hasMovedOn(watched)) return 'moving';
  return undefined;
}

/** In the last quarter of its longest duration, at most its last ten seconds. */
function isNearlySlow(watched: Watched, nowMs: number): boolean {
  const { maxDurationMs } = watched.reading;
  if (maxDurationMs === 0 || watched.episode !== undefined) return false;
  const leftMs = maxDurationMs - elapsedMs(watched, nowMs);
  return leftMs > 0 && leftMs <= Math.min(maxDurationMs / 4, LONGEST_NEARLY_SLOW_MS);
}

function dueMs(watched: Watched, nowMs: number): number {
  const { reading, episode } = watched;
  const { timeoutMs, maxDurationMs } = reading;
  if (!hasMovedOn(watched)) return Number.POSITIVE_INFINITY;
  const stillMs = watched.movedAtMs + timeoutMs;
  const lookMs = Math.max(watched.advancedAtMs + timeoutMs, watched.lookAtMs);
  const slowMs =
    maxDurationMs > 0 && episode === undefined
      ? nowMs + maxDurationMs - elapsedMs(watched, nowMs)
      : Number.POSITIVE_INFINITY;
  return Math.min(stillMs, lookMs, slowMs);
}

/** Nothing of it has moved since it was last reported: that it still hangs there is no news. */
function hasMovedOn({ movedAtMs, episode }: Watched): boolean {
  return episode === undefined || movedAtMs > episode.atMs;
}

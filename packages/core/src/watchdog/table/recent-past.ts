import type { DumpRecorder, DumpRecorderEntry } from '@hangwatch/protocol';
import { clockSince } from '../../shared/slot-layout.ts';
import type { RequestOfInterest } from '../../shared/worker-protocol.ts';
import type { ClockPauses } from './clock-pauses.ts';
import { entriesBetween, type RecorderEntry, type RecorderReader } from './recorder-reader.ts';
import type { Watched } from './scanner.ts';
import { selectEntries } from './select-entries.ts';
import type { Texts } from './texts.ts';

/** Entries in one dump. */
const MOST_ENTRIES = 200;
/** Requests of interest whose start is shown. */
const MOST_STARTS = 32;
/** How far back it should reach, in timeouts: what made a request hang happened before. */
const REACH = 2;

interface Placed {
  /** Entries written before it: its place in the order. */
  readonly place: number;
  readonly entry: DumpRecorderEntry;
}

/** What the flight recorder says in a dump. */
export class RecentPast {
  readonly #reader: RecorderReader;
  readonly #texts: Texts;
  readonly #pauses: ClockPauses;
  readonly #resolutionMs: number;

  /** @param resolutionMs how often the shared clock is set */
  constructor(reader: RecorderReader, texts: Texts, pauses: ClockPauses, resolutionMs: number) {
    this.#reader = reader;
    this.#texts = texts;
    this.#pauses = pauses;
    this.#resolutionMs = resolutionMs;
  }

  /**
   * What happened before, around the requests that the dump is about.
   *
   * @param about the requests that hang, have ended, or were in flight when the process did
   * @param nowMs the shared clock's time
   */
  describe(about: readonly RequestOfInterest[], nowMs: number): DumpRecorder {
    const { entries, written, overwritten, torn } = this.#reader.read();
    const oldestFirst = [...about].sort(
      (a, b) => entriesBetween(written, b.beganAt) - entriesBetween(written, a.beganAt),
    );
    const shown = selectEntries(entries, oldestFirst, written, MOST_ENTRIES);
    const ended: Placed[] = shown.map((entry) => ({
      place: entriesBetween(written, entry.number),
      entry: this.#entry(entry, nowMs),
    }));
    const starts: Placed[] = oldestFirst.slice(0, MOST_STARTS).map((request) => ({
      // Before the entry that came next.
      place: entriesBetween(written, request.beganAt) + 0.5,
      entry: {
        type: 'started',
        ageMs: this.#ageMs(request.startMs, nowMs),
        request: request.request,
        ...this.#label(request.route, request.method),
      },
    }));
    const [oldest] = entries;
    const reachMs = this.#ageMs(overwritten && oldest !== undefined ? oldest.atMs : 0, nowMs);
    const wantedMs = REACH * Math.max(0, ...about.slice(0, MOST_STARTS).map(({ timeoutMs }) => timeoutMs));
    return {
      reachMs,
      // What the process has not yet lived for is none that it lacks.
      ...(overwritten && reachMs < wantedMs ? { wantedMs } : {}),
      resolutionMs: this.#resolutionMs,
      entries: [...ended, ...starts].sort((a, b) => b.place - a.place).map(({ entry }) => entry),
      omitted: entries.length - shown.length,
      torn,
    };
  }

  #entry(entry: RecorderEntry, nowMs: number): DumpRecorderEntry {
    return {
      type: entry.type,
      ageMs: this.#ageMs(entry.atMs, nowMs),
      ...(entry.request === 0 ? {} : { request: entry.request }),
      ...this.#label(entry.label, entry.method),
      ...(entry.type === 'checkpoint' ? {} : { durationMs: entry.durationMs }),
    };
  }

  #label(label: number, method: number): { label?: string } {
    const text = [this.#texts.get(method), this.#texts.get(label)].filter((each) => each !== undefined).join(' ');
    return text === '' ? {} : { label: text };
  }

  /** The cells hold the lower 32 bits of the time. */
  #ageMs(atMs: number, nowMs: number): number {
    return this.#pauses.since(nowMs - clockSince(Math.round(nowMs), atMs));
  }
}

/** What the recorder needs to know of a request that is in flight. */
export const ofInterest = ({
  reading: { request, method, route, startMs, beganAt, timeoutMs },
}: Watched): RequestOfInterest => ({
  request,
  method,
  route,
  startMs,
  beganAt,
  timeoutMs,
});

import { isAbsolute } from 'node:path';
import { type Clock, within } from '../delivery/clock.ts';
import { HelperFailure } from '../delivery/helper-process.ts';
import { mapPlaces, type Place, placesIn } from './map-places.ts';
import type { MapResult, MapTask, ScriptPosition, SourcePosition } from './map-protocol.ts';

/** How long a report waits for its sources. What comes later is there for the next one. */
const WAIT_MS = 2_000;
/** Positions remembered, those without a source included. */
const MAX_KNOWN = 50_000;
/** Positions asked for of one report. */
const MAX_ASKED = 10_000;
/** How long a script whose map could not be used is left alone. */
const RETRY_MS = 600_000;
/** Scripts named in one note. */
const NAMED = 3;
const LATE = 'its source map was not read in time';

/** What a {@link SourceMapper} needs. */
export interface SourceMapperParts {
  /** Asks the map process. `undefined` where none can be started. */
  readonly ask: ((task: MapTask) => Promise<MapResult>) | undefined;
  readonly clock: Clock;
  readonly cwd: string;
  /** When the application started, milliseconds since 1970. */
  readonly startedAtMs: number;
}

/** A value with its places mapped, and what a reader ought to know about that. */
export interface Mapped<T> {
  readonly value: T;
  readonly note: string | undefined;
}

/**
 * Turns places in the JavaScript that runs into places in the sources, wherever in a value they are. The maps are read by another process;
 * only positions are remembered here. Never rejects, and waits no longer than two seconds, or as asked: then places stay as they are.
 *
 * @example
 * const { value, note } = await mapper.map(evidence);
 */
export class SourceMapper {
  readonly #parts: SourceMapperParts;
  /** By script, line and column; `null` where there is no source. */
  readonly #known = new Map<string, SourcePosition | null>();
  /** Scripts without a map. */
  readonly #plain = new Set<string>();
  readonly #problems = new Map<string, { readonly what: string; readonly untilMs: number }>();
  readonly #changed = new Set<string>();
  #asked: Promise<void> = Promise.resolve();
  #unavailable: 'no' | 'untold' | 'told';
  #release: (() => void) | undefined;
  #closed = false;

  constructor(parts: SourceMapperParts) {
    this.#parts = parts;
    this.#unavailable = parts.ask === undefined ? 'untold' : 'no';
  }

  /** @param waitMs how long it may take */
  async map<T>(value: T, waitMs = WAIT_MS): Promise<Mapped<T>> {
    const places = placesIn(value).filter(isMappable);
    const scripts = new Set(places.map(({ file }) => file));
    const missing = this.#closed ? new Map<string, ScriptPosition[]>() : this.#missing(places);
    const late = missing.size > 0 ? await this.#wait(missing, waitMs) : missing;
    const note = this.#noteOn(scripts, late);
    return { value: mapPlaces(value, (place) => this.#sourceOf(place)), note };
  }

  /** Whoever waits goes on with what is known by now; nothing is asked any more. */
  close(): void {
    this.#closed = true;
    this.#release?.();
  }

  #sourceOf(place: Place): SourcePosition | undefined {
    return isMappable(place) ? (this.#known.get(keyOf(place.file, positionOf(place))) ?? undefined) : undefined;
  }

  /** What is not known yet, by script. */
  #missing(places: readonly Place[]): Map<string, ScriptPosition[]> {
    const missing = new Map<string, Map<string, ScriptPosition>>();
    let asked = 0;
    for (const place of places) {
      const { file } = place;
      if (this.#plain.has(file) || this.#isLeftAlone(file)) continue;
      const position = positionOf(place);
      const key = keyOf(file, position);
      if (this.#known.has(key) || asked >= MAX_ASKED) continue;
      const ofScript = missing.get(file) ?? new Map<string, ScriptPosition>();
      missing.set(file, ofScript);
      if (ofScript.has(key)) continue;
      ofScript.set(key, position);
      asked += 1;
    }
    return new Map([...missing].map(([file, positions]) => [file, [...positions.values()]]));
  }

  /**
   * Asks for what is missing, one script after the other: which of them is too much for the process is then known.
   *
   * @returns what there was no time for
   */
  async #wait(missing: Map<string, ScriptPosition[]>, waitMs: number): Promise<ReadonlyMap<string, unknown>> {
    const asking = this.#asked.then(async () => {
      for (const [script, positions] of [...missing]) {
        await this.#ask(script, positions);
        missing.delete(script);
      }
    });
    this.#asked = asking;
    const released = new Promise<void>((resolve) => {
      this.#release = resolve;
    });
    await within(Promise.race([asking, released]), waitMs, this.#parts.clock);
    return missing;
  }

  async #ask(script: string, wanted: readonly ScriptPosition[]): Promise<void> {
    const { ask, cwd, startedAtMs } = this.#parts;
    if (ask === undefined || this.#unavailable !== 'no' || this.#closed) return;
    // What an earlier report asked for, and had no time to wait for, may be known by now.
    const positions = wanted.filter((position) => !this.#known.has(keyOf(script, position)));
    if (positions.length === 0 || this.#plain.has(script) || this.#isLeftAlone(script)) return;
    try {
      const { positions: sources, problem, writtenAtMs = 0 } = await ask({ script, positions, cwd });
      if (problem !== undefined) this.#failed(script, problem);
      else if (sources === undefined) this.#plain.add(script);
      else for (const [i, position] of positions.entries()) this.#remember(keyOf(script, position), sources[i] ?? null);
      if (writtenAtMs > startedAtMs) this.#changed.add(script);
    } catch (error) {
      if (error instanceof HelperFailure && error.kind === 'unavailable') this.#unavailable = 'untold';
      else this.#failed(script, 'its source map is too much: reading it took too long, or too much memory');
    }
  }

  #isLeftAlone(script: string): boolean {
    const problem = this.#problems.get(script);
    if (problem === undefined || problem.untilMs > this.#parts.clock.now()) return problem !== undefined;
    this.#problems.delete(script);
    return false;
  }

  #failed(script: string, what: string): void {
    this.#problems.set(script, { what, untilMs: this.#parts.clock.now() + RETRY_MS });
  }

  #remember(key: string, source: SourcePosition | null): void {
    const [oldest] = this.#known.keys();
    if (this.#known.size >= MAX_KNOWN && oldest !== undefined) this.#known.delete(oldest);
    this.#known.set(key, source);
  }

  #noteOn(scripts: ReadonlySet<string>, late: ReadonlyMap<string, unknown>): string | undefined {
    if (scripts.size > 0 && this.#unavailable === 'untold') {
      this.#unavailable = 'told';
      return 'source maps are not applied: the process that reads them cannot be started here';
    }
    const notes = [...scripts].flatMap((script) => {
      const what = this.#problems.get(script)?.what ?? (late.has(script) ? LATE : undefined);
      if (what !== undefined) return [`${this.#short(script)} is shown as JavaScript: ${what}`];
      return this.#changed.has(script)
        ? [`${this.#short(script)} was written after the process had started: its lines may be others`]
        : [];
    });
    if (notes.length > NAMED) notes.splice(NAMED, notes.length, `${notes.length - NAMED} more scripts are like these`);
    return notes.length === 0 ? undefined : notes.join('; ');
  }

  #short(script: string): string {
    const { cwd } = this.#parts;
    return script.startsWith(`${cwd}/`) ? script.slice(cwd.length + 1) : script;
  }
}

/** The application's own scripts: what is installed is shown as it is installed, since that is what can be opened. */
function isMappable({ file, line, kind }: Place): boolean {
  return line > 0 && isAbsolute(file) && (kind === undefined || kind === 'app') && !/[\\/]node_modules[\\/]/.test(file);
}

const positionOf = ({ line, column = 0 }: Place): ScriptPosition => [line, column];
const keyOf = (file: string, [line, column]: ScriptPosition): string => `${file}:${line}:${column}`;

import {
  ENTRY_CELLS,
  kSeal,
  kWritten,
  RECORD_TYPES,
  RECORDER_HEADER_CELLS,
  type RecordType,
  sealOf,
} from '../../shared/recorder-layout.ts';

/** An entry of the flight recorder. */
export interface RecorderEntry {
  /** Its place in the order of all entries; wraps with the count of those written. */
  readonly number: number;
  readonly type: RecordType;
  /** The shared clock when it was written. */
  readonly atMs: number;
  readonly request: number;
  readonly label: number;
  readonly method: number;
  readonly durationMs: number;
  /** Number of the entry that came next when that began which ended with this one. */
  readonly beganAt: number;
}

/** What the ring holds at one moment. */
export interface RecorderReading {
  /** In the order in which they were written. */
  readonly entries: readonly RecorderEntry[];
  /** Entries written, ever. */
  readonly written: number;
  /** Entries have been overwritten: what was before the first of these is not known. */
  readonly overwritten: boolean;
  /** Entries that were overwritten while they were read, and are left out. */
  readonly torn: number;
}

/** Entries between two numbers of a count that wraps. */
export const entriesBetween = (later: number, earlier: number): number => (later - earlier) >>> 0;

/** Reads the ring that the main thread writes. One pass, whatever the writer does meanwhile: nothing is waited for or read again. */
export class RecorderReader {
  readonly #cells: Uint32Array;
  readonly #length: number;

  constructor(buffer: SharedArrayBuffer) {
    this.#cells = new Uint32Array(buffer);
    this.#length = (this.#cells.length - RECORDER_HEADER_CELLS) / ENTRY_CELLS;
  }

  read(): RecorderReading {
    const length = this.#length;
    const written = Atomics.load(this.#cells, kWritten);
    const entries: RecorderEntry[] = [];
    let places = 0;
    let torn = 0;
    for (let back = length; back > 0; back--) {
      const number = (written - back) >>> 0;
      const base = RECORDER_HEADER_CELLS + (number % length) * ENTRY_CELLS;
      // Never written: the ring is not full yet.
      if (this.#cells[base + kSeal] === 0) continue;
      places += 1;
      const entry = this.#entry(number, base);
      if (entry === undefined) torn += 1;
      else entries.push(entry);
    }
    return { entries, written, overwritten: places === length, torn };
  }

  #entry(number: number, base: number): RecorderEntry | undefined {
    const [seal, typeNumber = 0, atMs = 0, request = 0, label = 0, method = 0, durationMs = 0, beganAt = 0] =
      this.#cells.subarray(base, base + ENTRY_CELLS);
    if (seal !== sealOf(number, typeNumber, atMs, request, label, method, durationMs, beganAt)) return undefined;
    const type = RECORD_TYPES[typeNumber];
    return type && { number, type, atMs, request, label, method, durationMs, beganAt };
  }
}

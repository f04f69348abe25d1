import {
  CAPTURES_PER_SECOND,
  FLAG_REPORTED,
  HEADER_CELLS,
  kCaptureBudget,
  kClockMs,
  kFlags,
  kGeneration,
  kRunning,
  kUntracked,
  kVersion,
  LAYOUT_VERSION,
  SEGMENT_BYTES,
  SLOT_CELLS,
  SLOTS_PER_SEGMENT,
} from '../../shared/slot-layout.ts';
import type { Trail } from '../places/trail.ts';

/** Slots are numbered across segments; beyond this many the table is said to be full and requests are counted as untracked. */
const MAX_SEGMENTS = 4_096;

/** A slot that a request may write: `cells[base + kField]`. */
export interface Slot {
  readonly cells: Uint32Array;
  readonly base: number;
  readonly index: number;
  /** Made for the slot's first request, and used by all that come after it. */
  trail: Trail | undefined;
}

/**
 * The main thread's side of the table of requests in flight. It grows by a segment at a time, which moves nothing: a slot
 * stays where it is for as long as its request lives.
 */
export class InFlightTable {
  readonly header = new Uint32Array(new SharedArrayBuffer(HEADER_CELLS * 4));
  /** `clock[0]` is the watchdog's clock; a view, because readers index it with 0. */
  readonly clock = new Uint32Array(this.header.buffer, kClockMs * 4, 1);
  readonly captureBudget = new Int32Array(this.header.buffer, kCaptureBudget * 4, 1);
  /** `running[0]` is the number of the request whose code began or went on last. */
  readonly running = new Uint32Array(this.header.buffer, kRunning * 4, 1);
  readonly #segments: Uint32Array[] = [];
  readonly #free: Slot[] = [];
  readonly #onSegment: (index: number, buffer: SharedArrayBuffer) => void;

  /** `onSegment` is told of each new segment, before any of its slots is used. */
  constructor(onSegment: (index: number, buffer: SharedArrayBuffer) => void) {
    this.#onSegment = onSegment;
    this.header[kVersion] = LAYOUT_VERSION;
    // The first requests come before the watchdog is there to give them any.
    this.captureBudget[0] = CAPTURES_PER_SECOND;
  }

  get segments(): readonly Uint32Array[] {
    return this.#segments;
  }

  get freeSlots(): number {
    return this.#free.length;
  }

  /** Takes a free slot, adding a segment when there is none. `undefined` when the table is as large as it gets. */
  acquire(): Slot | undefined {
    return this.#free.pop() ?? this.#grow();
  }

  /** Shows an acquired slot to the watchdog, once all its fields are written: an odd generation says that it is taken. */
  publish(slot: Slot): void {
    Atomics.add(slot.cells, slot.base + kGeneration, 1);
  }

  /** Gives back a slot that was acquired and not published. */
  giveBack(slot: Slot): void {
    this.#free.push(slot);
  }

  /** No request counts as reported any more. */
  forgetReports(): void {
    for (const cells of this.#segments) {
      for (let base = kFlags; base < cells.length; base += SLOT_CELLS) Atomics.and(cells, base, ~FLAG_REPORTED);
    }
  }

  /** Frees a published slot. The caller has stopped writing to it. The generation moves, so the watchdog reads a slot that changes hands again. */
  release(slot: Slot): void {
    Atomics.add(slot.cells, slot.base + kGeneration, 1);
    this.#free.push(slot);
  }

  #grow(): Slot | undefined {
    const index = this.#segments.length;
    if (index >= MAX_SEGMENTS) {
      this.header[kUntracked] = (this.header[kUntracked] ?? 0) + 1;
      return undefined;
    }
    const buffer = new SharedArrayBuffer(SEGMENT_BYTES);
    const cells = new Uint32Array(buffer);
    this.#segments.push(cells);
    this.#onSegment(index, buffer);
    // Highest first, so that slots are handed out from the front.
    for (let i = SLOTS_PER_SEGMENT - 1; i >= 0; i--) {
      this.#free.push({ cells, base: i * SLOT_CELLS, index: index * SLOTS_PER_SEGMENT + i, trail: undefined });
    }
    return this.#free.pop();
  }
}

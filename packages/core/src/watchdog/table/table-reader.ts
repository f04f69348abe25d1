import {
  kBeganAtEntry,
  kCheckpoint,
  kCheckpointMs,
  kFlags,
  kGeneration,
  kMaxDurationMs,
  kMethod,
  kOutbound,
  kProgress,
  kRequest,
  kRoute,
  kSequence,
  kStartMs,
  kTimeoutMs,
  SLOT_CELLS,
  SLOTS_PER_SEGMENT,
} from '../../shared/slot-layout.ts';

/** A slot as it stood at one moment. */
export interface SlotReading {
  generation: number;
  sequence: number;
  progress: number;
  outbound: number;
  request: number;
  method: number;
  route: number;
  checkpoint: number;
  checkpointMs: number;
  startMs: number;
  timeoutMs: number;
  maxDurationMs: number;
  flags: number;
  beganAt: number;
}

/** Reads the table that the main thread writes. */
export class TableReader {
  readonly #segments: Uint32Array[] = [];

  /** Slots there are, taken or free. */
  get slots(): number {
    return this.#segments.length * SLOTS_PER_SEGMENT;
  }

  /** Messages keep their order, so segments arrive in order. */
  add(index: number, buffer: SharedArrayBuffer): void {
    this.#segments[index] = new Uint32Array(buffer);
  }

  /** The slot's generation; odd while it is taken. */
  generation(slot: number): number {
    const cells = this.#segments[Math.floor(slot / SLOTS_PER_SEGMENT)];
    return cells === undefined ? 0 : Atomics.load(cells, (slot % SLOTS_PER_SEGMENT) * SLOT_CELLS + kGeneration);
  }

  /**
   * Whether the slot is still as it was last read, in all that changes while a request lives. The checkpoint's cells need no
   * look of their own: PROGRESS moves with them.
   */
  isAsRead(slot: number, last: Readonly<SlotReading>): boolean {
    const cells = this.#segments[Math.floor(slot / SLOTS_PER_SEGMENT)];
    if (cells === undefined) return false;
    const base = (slot % SLOTS_PER_SEGMENT) * SLOT_CELLS;
    return (
      Atomics.load(cells, base + kGeneration) === last.generation &&
      Atomics.load(cells, base + kSequence) === last.sequence &&
      Atomics.load(cells, base + kProgress) === last.progress &&
      Atomics.load(cells, base + kOutbound) === last.outbound &&
      Atomics.load(cells, base + kFlags) === last.flags &&
      Atomics.load(cells, base + kRoute) === last.route &&
      Atomics.load(cells, base + kTimeoutMs) === last.timeoutMs &&
      Atomics.load(cells, base + kMaxDurationMs) === last.maxDurationMs
    );
  }

  /**
   * Reads a taken slot into `into`. `false`: it is free, or changed hands while it was read; the next scan reads it again, so a
   * writer that is paused in mid-write never traps the reader.
   */
  read(slot: number, into: SlotReading): boolean {
    const cells = this.#segments[Math.floor(slot / SLOTS_PER_SEGMENT)];
    if (cells === undefined) return false;
    const base = (slot % SLOTS_PER_SEGMENT) * SLOT_CELLS;
    const generation = Atomics.load(cells, base + kGeneration);
    if ((generation & 1) === 0) return false;
    into.generation = generation;
    into.sequence = Atomics.load(cells, base + kSequence);
    into.progress = Atomics.load(cells, base + kProgress);
    into.outbound = Atomics.load(cells, base + kOutbound);
    into.request = Atomics.load(cells, base + kRequest);
    into.method = Atomics.load(cells, base + kMethod);
    into.route = Atomics.load(cells, base + kRoute);
    into.checkpoint = Atomics.load(cells, base + kCheckpoint);
    into.checkpointMs = Atomics.load(cells, base + kCheckpointMs);
    into.startMs = Atomics.load(cells, base + kStartMs);
    into.timeoutMs = Atomics.load(cells, base + kTimeoutMs);
    into.maxDurationMs = Atomics.load(cells, base + kMaxDurationMs);
    into.flags = Atomics.load(cells, base + kFlags);
    into.beganAt = Atomics.load(cells, base + kBeganAtEntry);
    return Atomics.load(cells, base + kGeneration) === generation;
  }

  /** Sets a flag of the slot, if it still belongs to the same request. */
  mark(slot: number, generation: number, flag: number): void {
    const cells = this.#segments[Math.floor(slot / SLOTS_PER_SEGMENT)];
    const base = (slot % SLOTS_PER_SEGMENT) * SLOT_CELLS;
    if (cells !== undefined && Atomics.load(cells, base + kGeneration) === generation)
      Atomics.or(cells, base + kFlags, flag);
  }
}

/** A reading to read into. */
export function emptyReading(): SlotReading {
  return {
    generation: 0,
    sequence: 0,
    progress: 0,
    outbound: 0,
    request: 0,
    method: 0,
    route: 0,
    checkpoint: 0,
    checkpointMs: 0,
    startMs: 0,
    timeoutMs: 0,
    maxDurationMs: 0,
    flags: 0,
    beganAt: 0,
  };
}

import {
  kBeganAtEntry,
  kCheckpoint,
  kFlags,
  kGeneration,
  kMaxDurationMs,
  kOutbound,
  kProgress,
  kRequest,
  kSequence,
  kStartMs,
  kTimeoutMs,
  SEGMENT_BYTES,
  SLOT_CELLS,
} from '../../shared/slot-layout.ts';

/** A segment that a test writes as the main thread would. */
export class TestingTable {
  readonly buffer = new SharedArrayBuffer(SEGMENT_BYTES);
  readonly #cells = new Uint32Array(this.buffer);

  enter(
    slot: number,
    options: {
      timeoutMs?: number;
      maxDurationMs?: number;
      startMs?: number;
      request?: number;
      beganAt?: number;
      /** Number of a text. */
      checkpoint?: number;
    } = {},
  ): number {
    const base = slot * SLOT_CELLS;
    const cells = this.#cells;
    for (const field of [kSequence, kProgress, kOutbound, kFlags]) cells[base + field] = 0;
    cells[base + kCheckpoint] = options.checkpoint ?? 0;
    cells[base + kRequest] = options.request ?? slot + 1;
    cells[base + kTimeoutMs] = options.timeoutMs ?? 1_000;
    cells[base + kMaxDurationMs] = options.maxDurationMs ?? 0;
    cells[base + kStartMs] = options.startMs ?? 0;
    cells[base + kBeganAtEntry] = options.beganAt ?? 0;
    return Atomics.add(cells, base + kGeneration, 1) + 1;
  }

  leave(slot: number): void {
    Atomics.add(this.#cells, slot * SLOT_CELLS + kGeneration, 1);
  }

  /** Promises of the request's context moved. */
  move(slot: number): void {
    Atomics.add(this.#cells, slot * SLOT_CELLS + kSequence, 1);
  }

  /** The request itself advanced. */
  advance(slot: number): void {
    Atomics.add(this.#cells, slot * SLOT_CELLS + kProgress, 1);
  }

  flags(slot: number): number {
    return Atomics.load(this.#cells, slot * SLOT_CELLS + kFlags);
  }

  setFlag(slot: number, flag: number): void {
    Atomics.or(this.#cells, slot * SLOT_CELLS + kFlags, flag);
  }
}

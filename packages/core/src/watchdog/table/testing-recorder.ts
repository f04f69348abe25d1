import { ENTRY_CELLS, kWritten, RECORDER_HEADER_CELLS, recorderBytes, sealOf } from '../../shared/recorder-layout.ts';

/** A flight recorder that a test writes as the main thread would. */
export class TestingRecorder {
  readonly buffer: SharedArrayBuffer;
  readonly cells: Uint32Array;
  readonly #length: number;

  constructor(length: number) {
    this.#length = length;
    this.buffer = new SharedArrayBuffer(recorderBytes(length));
    this.cells = new Uint32Array(this.buffer);
  }

  write(type: number, atMs: number, request: number, label = 0, method = 0, durationMs = 0): void {
    const number = this.cells[kWritten] ?? 0;
    const base = RECORDER_HEADER_CELLS + (number % this.#length) * ENTRY_CELLS;
    const fields = [type, atMs, request, label, method, durationMs, number] as const;
    this.cells.set([sealOf(number, ...fields), ...fields], base);
    this.cells[kWritten] = number + 1;
  }
}

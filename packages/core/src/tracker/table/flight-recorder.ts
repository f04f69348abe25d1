import {
  ENTRY_CELLS,
  kAtMs,
  kBeganAt,
  kDurationMs,
  kLabel,
  kOfMethod,
  kOfRequest,
  kRecorderVersion,
  kSeal,
  kType,
  kWritten,
  RECORD_CHECKPOINT,
  RECORD_FINISHED,
  RECORD_LEFT,
  RECORD_LOOP_LAG,
  RECORD_OUTBOUND,
  RECORDER_ENTRIES,
  RECORDER_HEADER_CELLS,
  RECORDER_VERSION,
  recorderBytes,
  sealOf,
} from '../../shared/recorder-layout.ts';
import { clockSince } from '../../shared/slot-layout.ts';

/** Shorter delays of the event loop are its normal life. */
const LEAST_LAG_MS = 50;

/**
 * Writes the flight recorder: what happened last in the process, for the dump of a hang whose culprit has long finished. An entry is nine
 * stores and a hash: nothing is allocated, and the time is the shared clock's.
 */
export class FlightRecorder {
  readonly buffer: SharedArrayBuffer;
  readonly #cells: Uint32Array;
  readonly #clock: Uint32Array;
  readonly #mask: number;

  /**
   * @param clock `clock[0]` is the shared clock
   * @param entries length of the ring: a power of two
   */
  constructor(clock: Uint32Array, entries = RECORDER_ENTRIES) {
    this.buffer = new SharedArrayBuffer(recorderBytes(entries));
    this.#cells = new Uint32Array(this.buffer);
    this.#cells[kRecorderVersion] = RECORDER_VERSION;
    this.#clock = clock;
    this.#mask = entries - 1;
  }

  /** Entries written, ever: what begins now remembers it. */
  get written(): number {
    return this.#cells[kWritten] as number;
  }

  /** A request is over. `finished`: the response was sent whole; otherwise its client has left. */
  requestEnded(
    request: number,
    method: number,
    route: number,
    startMs: number,
    beganAt: number,
    finished: boolean,
  ): void {
    this.#write(finished ? RECORD_FINISHED : RECORD_LEFT, request, route, method, startMs, beganAt);
  }

  /** A request has passed a checkpoint of the application's. */
  checkpoint(request: number, label: number): void {
    this.#write(RECORD_CHECKPOINT, request, label, 0, this.#clock[0] as number, this.written);
  }

  /** An outbound call of a request is over. */
  outboundEnded(request: number, type: number, startMs: number): void {
    this.#write(RECORD_OUTBOUND, request, type, 0, startMs, this.written);
  }

  /** The event loop was late by so much. */
  loopLag(lagMs: number): void {
    if (lagMs < LEAST_LAG_MS) return;
    this.#write(RECORD_LOOP_LAG, 0, 0, 0, ((this.#clock[0] as number) - Math.round(lagMs)) >>> 0, this.written);
  }

  #write(type: number, request: number, label: number, method: number, startMs: number, beganAt: number): void {
    const cells = this.#cells;
    const number = cells[kWritten] as number;
    const nowMs = this.#clock[0] as number;
    const base = RECORDER_HEADER_CELLS + (number & this.#mask) * ENTRY_CELLS;
    const durationMs = clockSince(nowMs, startMs);
    cells[base + kSeal] = sealOf(number, type, nowMs, request, label, method, durationMs, beganAt);
    cells[base + kType] = type;
    cells[base + kAtMs] = nowMs;
    cells[base + kOfRequest] = request;
    cells[base + kLabel] = label;
    cells[base + kOfMethod] = method;
    cells[base + kDurationMs] = durationMs;
    cells[base + kBeganAt] = beganAt;
    cells[kWritten] = (number + 1) | 0;
  }
}

/**
 * The memory of the flight recorder: a ring of what happened last, written by the main thread and read by the watchdog. This is the one
 * place with its offsets. Uint32 cells:
 *
 *     Header, 64 bytes
 *     0 VERSION    layout version
 *     1 WRITTEN    entries written, ever (wraps); stored last
 *
 *     Entry, 32 bytes; entry n is in place n modulo the ring's length
 *     0 SEAL       a hash of n and of all other cells, never 0: what is torn, or another entry than the one looked for, does not fit it
 *     1 TYPE       one of RECORD_TYPES
 *     2 AT_MS      CLOCK_MS of the table's header
 *     3 REQUEST    the request's number; 0: none
 *     4 LABEL      interned: route, checkpoint, kind of outbound call
 *     5 METHOD     interned
 *     6 DURATION_MS
 *     7 BEGAN_AT   WRITTEN when that which ended here began
 *
 * What begins is not written: what goes on is in the table, and what has ended says when it began. So a request takes one entry.
 * Framework layers are not written either: those of a request in flight are in its trail, and they would shorten the ring's reach tenfold.
 */
export const RECORDER_VERSION = 1;

export const RECORDER_HEADER_CELLS = 16;
export const kRecorderVersion = 0;
export const kWritten = 1;

export const ENTRY_CELLS = 8;
export const kSeal = 0;
export const kType = 1;
export const kAtMs = 2;
export const kOfRequest = 3;
export const kLabel = 4;
export const kOfMethod = 5;
export const kDurationMs = 6;
export const kBeganAt = 7;

/**
 * What SEAL holds. A hash and no Atomics, since a fence costs more than all the rest of an entry; and no processor, whatever it does with the
 * order of plain stores, makes parts of two entries fit.
 */
export function sealOf(
  number: number,
  type: number,
  atMs: number,
  request: number,
  label: number,
  method: number,
  durationMs: number,
  beganAt: number,
): number {
  let hash = Math.imul(number ^ type, 0x9e37_79b1);
  hash = Math.imul(hash ^ atMs, 0x85eb_ca6b);
  hash = Math.imul(hash ^ request, 0xc2b2_ae35);
  hash = Math.imul(hash ^ label, 0x9e37_79b1);
  hash = Math.imul(hash ^ method, 0x85eb_ca6b);
  hash = Math.imul(hash ^ durationMs, 0xc2b2_ae35);
  hash = Math.imul(hash ^ beganAt, 0x9e37_79b1);
  return (hash | 1) >>> 0;
}

/** Entries in the shortest ring that is made without being asked for: 512 KiB. */
export const RECORDER_ENTRIES = 16_384;
/** In the longest: 4 MiB; and in the longest that may be asked for, 8 MiB, which the watchdog reads as a whole for each dump. */
const MOST_BY_ITSELF = 131_072;
export const MOST_RECORDER_ENTRIES = 262_144;
const ENTRIES_A_SECOND = 800;

/** A power of two: 800 entries a second for twice the timeout, within bounds, unless a number is given. */
export function recorderEntries(timeoutMs: number, given: number | undefined): number {
  const wanted = (ENTRIES_A_SECOND * 2 * timeoutMs) / 1_000;
  const entries = given ?? Math.min(MOST_BY_ITSELF, Math.max(RECORDER_ENTRIES, wanted));
  return 2 ** Math.ceil(Math.log2(entries));
}

/** By number: what an entry tells of. */
export const RECORD_TYPES = ['finished', 'left', 'checkpoint', 'outbound', 'loop-lag'] as const;
export type RecordType = (typeof RECORD_TYPES)[number];
export const RECORD_FINISHED = 0;
export const RECORD_LEFT = 1;
export const RECORD_CHECKPOINT = 2;
export const RECORD_OUTBOUND = 3;
export const RECORD_LOOP_LAG = 4;

/** Bytes of a ring of so many entries. */
export const recorderBytes = (entries: number): number => (RECORDER_HEADER_CELLS + entries * ENTRY_CELLS) * 4;

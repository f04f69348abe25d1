/**
 * The memory that the main thread and the watchdog's thread share. This is the one place with offsets.
 *
 * Header, one for the process, 64 bytes of Uint32 cells:
 *
 *     0 VERSION        layout version
 *     1 CLOCK_MS       milliseconds the watchdog has been awake with something to watch; every age comes from it
 *     2 PARKED         1 while the watchdog sleeps because nothing is in flight; whoever enters next wakes it
 *     3 IN_FLIGHT      requests in the table
 *     4 CAPTURE_BUDGET stack captures left (signed); refilled by the watchdog
 *     5 ENTERED        requests that entered, ever (wraps)
 *     6 UNTRACKED      requests that could not be tracked, ever (wraps)
 *     7 BEAT_ASKED     heartbeats that the watchdog has asked for (wraps)
 *     8 BEAT           the last of them that the main thread has answered
 *     9 RUNNING        number of the request whose code began or went on last; 0 since the last heartbeat: none
 *    10 INSPECTOR_PORT port of Node's inspector at the last heartbeat; 0: closed
 *    11 SESSION        1 while the watchdog has an inspector session with the main thread
 *    12 CRASH_TOLD     1 once the report of the process's end is out, or its record gone, for which the main thread waits
 *    13 RECORD_KEPT    1 while a record is kept of what would be known if the process died
 *    14 UNSEEN_ENDS    requests that ended after they had stood still for long, and were not looked at for want of time; the watchdog takes it back to 0
 *
 * Segment, as many as needed, 1,024 slots of one cache line (64 bytes) each:
 *
 *     0 GENERATION     odd while the slot is taken; moves at every enter and leave
 *     1 SEQUENCE       moves with every await begun or resumed in the request's context
 *     2 PROGRESS       moves when the request itself advances: layer entered, checkpoint, bytes sent or received
 *     3 OUTBOUND       moves when an outbound call of the request's context finishes
 *     4 REQUEST        the request's number
 *     5 METHOD         interned
 *     6 ROUTE          interned; 0 while unknown
 *     7 CHECKPOINT     interned label of the last layer or checkpoint
 *     8 CHECKPOINT_MS  CLOCK_MS when it was passed
 *     9 START_MS       CLOCK_MS when the request entered
 *    10 TIMEOUT_MS
 *    11 MAX_DURATION_MS 0: none
 *    12 FLAGS
 *    13 BEGAN_AT       entries the flight recorder had written when the request entered
 *
 * One writer a cell: the main thread writes all slots and the header's IN_FLIGHT, ENTERED, UNTRACKED, BEAT, RUNNING and INSPECTOR_PORT; the
 * watchdog writes CLOCK_MS, BEAT_ASKED, SESSION, CRASH_TOLD and RECORD_KEPT and sets PARKED (the main thread clears it); CAPTURE_BUDGET is lossy by design; FLAGS and UNSEEN_ENDS are written with Atomics by both.
 */
export const LAYOUT_VERSION = 1;

export const HEADER_CELLS = 16;
export const kVersion = 0;
export const kClockMs = 1;
export const kParked = 2;
export const kInFlight = 3;
export const kCaptureBudget = 4;
export const kEntered = 5;
export const kUntracked = 6;
export const kBeatAsked = 7;
export const kBeat = 8;
export const kRunning = 9;
export const kInspectorPort = 10;
export const kSession = 11;
export const kCrashTold = 12;
export const kRecordKept = 13;
export const kUnseenEnds = 14;

export const SLOT_CELLS = 16;
export const SLOTS_PER_SEGMENT = 1_024;
export const SEGMENT_BYTES = SLOTS_PER_SEGMENT * SLOT_CELLS * 4;
export const kGeneration = 0;
export const kSequence = 1;
export const kProgress = 2;
export const kOutbound = 3;
export const kRequest = 4;
export const kMethod = 5;
export const kRoute = 6;
export const kCheckpoint = 7;
export const kCheckpointMs = 8;
export const kStartMs = 9;
export const kTimeoutMs = 10;
export const kMaxDurationMs = 11;
export const kFlags = 12;
export const kBeganAtEntry = 13;

/** The request is in the table, and not watched: its route said so, or it became an upgrade or an event stream. */
export const FLAG_UNWATCHED = 1;
/** The watchdog has reported the request: its end is to be told. Cleared when the watchdog is started again. */
export const FLAG_REPORTED = 2;
/** The main thread wants to know when the request is reported: it answers in its place, or aborts it. */
export const FLAG_NOTIFY = 4;
/** The request is staged by a self-test: it is to be found stuck, and is in no report but its own. */
export const FLAG_STAGED = 8;

/** Stack captures that the main thread may make in a second: what CAPTURE_BUDGET starts with and is refilled by. */
export const CAPTURES_PER_SECOND = 1_000;

/** Milliseconds from `thenMs` to `nowMs` on the 32-bit clock, which wraps after 49 days. */
export function clockSince(nowMs: number, thenMs: number): number {
  return (nowMs - thenMs) >>> 0;
}

/** What lies this little ahead of a moment came after it: evidence is on its way for a while, and the table goes on meanwhile. */
const AHEAD_MS = 600_000;

/** {@link clockSince}, and 0 for what came after `nowMs`. */
export function clockAge(nowMs: number, thenMs: number): number {
  const ageMs = clockSince(nowMs, thenMs);
  return ageMs > 2 ** 32 - AHEAD_MS ? 0 : ageMs;
}

/**
 * The recent past of the process: requests that have ended since, one of which may have done the damage. The entries are a selection,
 * around the requests that the dump is about.
 */
export interface DumpRecorder {
  /** How far back it reaches: what happened before is not known. */
  reachMs: number;
  /** How far back it should, where it does not: twice the longest timeout of the requests that the dump is about. */
  wantedMs?: number | undefined;
  /** Ages and durations are multiples of about so much. */
  resolutionMs: number;
  /** Oldest first. */
  entries: DumpRecorderEntry[];
  /** Entries within reach that the selection leaves out. */
  omitted: number;
  /** Entries that were overwritten while they were read. */
  torn?: number | undefined;
}

/** Something that happened. */
export interface DumpRecorderEntry {
  /**
   * A receiver shows a type that it does not know as it is.
   *
   * - `started`: one of the requests that the dump is about began
   * - `finished`: a request was answered
   * - `left`: a request's connection ended before it was: its client left, or something else cut it off
   * - `checkpoint`: a request passed a `checkpoint('label')`
   * - `outbound`: an outbound call of a request ended, well or not; `label` says of what kind it was
   * - `loop-lag`: the event loop was late by `durationMs`
   */
  type: string;
  /** Since it happened. */
  ageMs: number;
  /** The request's number. */
  request?: number | undefined;
  /** Method and route of a request, label of a checkpoint, kind of an outbound call. */
  label?: string | undefined;
  /** How long that took which ended here. */
  durationMs?: number | undefined;
}

export type {
  Dump,
  DumpEventLoop,
  DumpEvidence,
  DumpKind,
  DumpProcess,
  DumpSuppressed,
  DumpVerdict,
  Evidence,
} from './dump.ts';
export { DUMP_SCHEMA_VERSION } from './dump.ts';
export type { BlockCause, DumpBlock, DumpPoolThread, DumpThreadPool } from './dump-block.ts';
export type { DumpCrash } from './dump-crash.ts';
export { DUMP_LIMITS } from './dump-limits.ts';
export type { DumpFrame, DumpPosition, FrameKind } from './dump-place.ts';
export type { DumpRecorder, DumpRecorderEntry } from './dump-recorder.ts';
export type {
  DumpAwait,
  DumpCheckpoint,
  DumpData,
  DumpError,
  DumpLayer,
  DumpPending,
  DumpRequest,
  DumpRequestVerdict,
  DumpSeenPlace,
  DumpTrailEntry,
  DumpWait,
  LayerOutcome,
} from './dump-request.ts';
export type { DumpHold, DumpWaitEdge, DumpWaitFor } from './dump-wait-for.ts';

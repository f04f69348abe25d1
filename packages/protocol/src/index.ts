export type {
  Dump,
  DumpAwait,
  DumpCheckpoint,
  DumpData,
  DumpEventLoop,
  DumpEvidence,
  DumpFrame,
  DumpKind,
  DumpPosition,
  DumpProcess,
  DumpRequest,
  DumpRequestVerdict,
  DumpSuppressed,
  DumpTrailEntry,
  DumpVerdict,
  DumpWait,
  Evidence,
  FrameKind,
} from './dump.ts';
export { DUMP_SCHEMA_VERSION } from './dump.ts';
export { DUMP_LIMITS } from './dump-limits.ts';

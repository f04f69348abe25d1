export { DUMP_SCHEMA_VERSION } from './dump.ts';
export type { Dump, DumpAwait, DumpCheckpoint, DumpFrame, DumpKind, DumpProcess, DumpRequest, DumpRequestVerdict, DumpWait, Evidence } from './dump.ts';

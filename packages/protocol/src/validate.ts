export { DUMP_LIMITS } from './dump-limits.ts';
export { type DumpIssue, type ParseDumpResult, parseDump } from './parse-dump.ts';

export {
  COLLECTOR_ERRORS,
  type CollectorErrorCode,
  HangwatchCollectorError,
  type RequestIssue,
} from './collector-error.ts';
export type { CollectorLimits, CollectorOptions, RetentionOptions } from './collector-options.ts';
export { type Collector, createCollector } from './create-collector.ts';
export type { AddResult, DumpStore, ListQuery, NewDump, PruneLimits, StoredDump } from './store/dump-store.ts';
export { openSqliteStore } from './store/sqlite/open-sqlite-store.ts';

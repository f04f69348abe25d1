import type { ClaimResult, PutResult, PutState, SpoolSettings } from './spool.ts';
import type { StaleRecord } from './spool-entries.ts';
import type { SpoolErrorCode } from './spool-error.ts';

/** A parcel's bytes on their way between the processes. */
export type Base64 = string;

/** What the spool process is asked, a line each on its stdin; it answers in order. */
export type SpoolRequest = { readonly id: number } & SpoolTask;

/** What there is to ask. */
export type SpoolTask =
  | { readonly type: 'put'; readonly gzip: Base64; readonly as: PutState }
  | { readonly type: 'claim'; readonly abandoned: readonly StaleRecord[] }
  | { readonly type: 'release'; readonly file: string }
  | { readonly type: 'discard'; readonly file: string }
  | { readonly type: 'set-aside'; readonly file: string; readonly as: 'rejected' | 'bad' }
  | { readonly type: 'keep-record'; readonly gzip: Base64 }
  | { readonly type: 'forget-record' };

/** {@link ClaimResult} on its way. */
export type SentClaimResult = Omit<ClaimResult, 'claimed'> & {
  readonly claimed?: { readonly file: string; readonly gzip: Base64 };
};

/** What a task may give. */
export type SpoolResult = PutResult | SentClaimResult | undefined;

/** How a request to the spool process ends. */
export type SpoolEnd =
  | { readonly type: 'done'; readonly id: number; readonly result?: SpoolResult }
  | { readonly type: 'failed'; readonly id: number; readonly code: SpoolErrorCode; readonly message: string };

/** What the spool process says, a line each on its stdout. `ready` comes first, and once. */
export type SpoolAnswer = { readonly type: 'ready' } | SpoolEnd;

/** The spool process's only argument, as JSON. */
export interface SpoolProcessArguments extends SpoolSettings {
  /** The process that the record is of. */
  readonly parentPid: number;
}

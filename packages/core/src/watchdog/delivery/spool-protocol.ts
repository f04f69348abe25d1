import type { ClaimResult, PutResult, PutState, SpoolSettings } from './spool.ts';
import type { SpoolErrorCode } from './spool-error.ts';

/** What the spool process is asked; it answers in order. */
export type SpoolRequest = { readonly id: number } & (
  | { readonly type: 'put'; readonly gzip: Uint8Array; readonly as: PutState }
  | { readonly type: 'claim' }
  | { readonly type: 'release'; readonly file: string }
  | { readonly type: 'discard'; readonly file: string }
  | { readonly type: 'set-aside'; readonly file: string; readonly as: 'rejected' | 'bad' }
);

/** What the spool process says. `ready` comes first, and once. */
export type SpoolAnswer =
  | { readonly type: 'ready' }
  | { readonly type: 'done'; readonly id: number; readonly result: PutResult | ClaimResult | undefined }
  | { readonly type: 'failed'; readonly id: number; readonly code: SpoolErrorCode; readonly message: string };

/** The spool process's only argument, as JSON. */
export type SpoolProcessArguments = SpoolSettings;

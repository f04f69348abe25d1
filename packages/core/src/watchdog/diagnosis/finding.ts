import type { DumpRequestVerdict } from '@hangwatch/protocol';
import type { Watched } from '../table/scanner.ts';

/** A request found stuck. */
export interface Finding {
  readonly watched: Watched;
  readonly verdict: DumpRequestVerdict;
  readonly fingerprint: string;
  /** Where it stands, for telling two hangs of one request apart. */
  readonly place: string;
}

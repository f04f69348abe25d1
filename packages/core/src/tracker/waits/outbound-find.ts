import type { OutboundType } from '../../shared/outbound-types.ts';
import type { RequestRecord } from '../request-record.ts';

/** Outbound work that nobody told of when it began, found when a dump asks. */
export interface OutboundFind {
  readonly record: RequestRecord;
  readonly type: OutboundType;
  readonly label: string;
}

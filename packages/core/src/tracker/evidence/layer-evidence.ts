import type { DumpError, DumpLayer } from '@hangwatch/protocol';
import { clockSince } from '../../shared/slot-layout.ts';
import type { RequestRecord } from '../request-record.ts';
import { describeError, errorClass } from './describe-error.ts';

/** The layer that the request entered last. Its place is looked up for stuck requests only: it takes a debugger session. */
export function layerEvidence(record: RequestRecord, stuck: boolean, nowMs: number): DumpLayer | undefined {
  const { layer, outcome } = record;
  if (layer === undefined) return undefined;
  const hasReturned = outcome !== 'running' && outcome !== 'unknown';
  const hasSettled = outcome === 'fulfilled' || outcome === 'rejected';
  return {
    ...(stuck ? layer.place() : undefined),
    label: layer.label,
    ...(outcome === 'unknown' ? {} : { outcome }),
    enteredMs: clockSince(nowMs, record.enteredClock),
    // What ended was the whole chain, and when this layer of it returned is not known.
    ...(hasReturned && !record.chainEnded ? { returnedMs: clockSince(nowMs, record.returnedClock) } : {}),
    ...(hasSettled ? { settledMs: clockSince(nowMs, record.settledClock) } : {}),
    ...(record.chainEnded ? { chain: true } : {}),
  };
}

/**
 * What the last layer's promise was rejected with: class and frames, and the message only where the application asks for it.
 *
 * @param calls whether code of the application's may run: an error's frames and message may be made by it (`Error.prepareStackTrace`, getters)
 */
export function errorEvidence(record: RequestRecord, calls: boolean): DumpError | undefined {
  if (record.outcome !== 'rejected') return undefined;
  if (!calls) return { class: errorClass(record.rejection), frames: [] };
  return describeError(record.rejection, record.rules.errorMessages);
}

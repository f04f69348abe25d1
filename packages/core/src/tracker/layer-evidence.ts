import { errorFrames } from '@hangwatch/async-hooks-helpers';
import type { DumpError, DumpLayer } from '@hangwatch/protocol';
import { clockSince } from '../shared/slot-layout.ts';
import type { RequestRecord } from './request-record.ts';

/** Frames and characters kept of an error. */
const ERROR_FRAMES = 32;
const LONGEST_CLASS = 100;
const LONGEST_MESSAGE = 1_000;

/** The layer that the request entered last. Its place is looked up for stuck requests only: it takes a debugger session. */
export function layerEvidence(record: RequestRecord, stuck: boolean): DumpLayer | undefined {
  const { layer, outcome } = record;
  if (layer === undefined) return undefined;
  const nowMs = record.owner.clock[0] ?? 0;
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

/** What the last layer's promise was rejected with: class and frames, and the message only where the application asks for it. */
export function errorEvidence(record: RequestRecord): DumpError | undefined {
  if (record.outcome !== 'rejected') return undefined;
  const { rejection } = record;
  const message = record.rules.errorMessages ? messageOf(rejection) : undefined;
  return {
    class: classOf(rejection),
    frames: errorFrames(rejection, ERROR_FRAMES).map((frame) => ({ ...frame })),
    ...(message === undefined ? {} : { message: message.slice(0, LONGEST_MESSAGE) }),
  };
}

/** The constructor's name, which stands in the source; an error's `name` may be anything. */
function classOf(value: unknown): string {
  if ((typeof value !== 'object' && typeof value !== 'function') || value === null) return String(typeof value);
  try {
    const { constructor: made } = value as { constructor?: unknown };
    if (typeof made === 'function' && made.name !== '') return made.name.slice(0, LONGEST_CLASS);
  } catch {
    return 'object';
  }
  return 'object';
}

function messageOf(value: unknown): string | undefined {
  if (typeof value === 'string') return value;
  try {
    const { message } = Object(value) as { message?: unknown };
    return typeof message === 'string' ? message : undefined;
  } catch {
    return undefined;
  }
}

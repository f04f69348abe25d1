import type { DumpError, DumpLayer } from '@hangwatch/protocol';
import type { RequestEvidence } from '../../shared/worker-protocol.ts';
import { seconds } from './duration-text.ts';
import { placeOf, type ShortPath } from './places.ts';

/** Waits that are no outbound work: what answers them is not known to answer the request. */
const NOT_OUTBOUND = new Set(['shared-promise', 'request-body', 'client']);

/**
 * The sentence for a request that nobody has answered although its code is through: the last layer's promise has settled, or the layer
 * has returned and no await is outstanding. `undefined` where that is not known, or where work that is under way may still answer.
 * It says what is known and no more: a timer or an emitter may answer later.
 */
export function noResponse(evidence: RequestEvidence, short: ShortPath): string | undefined {
  const ended = layerEnd(evidence, short);
  // Without a client nobody waits for an answer.
  if (ended === undefined || evidence.client === undefined || evidence.client.answered) return undefined;
  if (evidence.waitsFor.some(({ type }) => !NOT_OUTBOUND.has(type))) return undefined;
  const state = evidence.client.begun ? 'has begun its response and not ended it' : 'is not answered';
  const place = placeOf(evidence.stacks);
  const other =
    place === undefined
      ? ''
      : `; other work in its context is suspended in ${place.function} (${short(place.file)}:${place.line}:${place.column})`;
  return `${state}: ${ended}${other}`;
}

/** How the last layer ended, if it has: `handler listUsers (src/users.ts:7) finished 10.1 s ago`. */
export function layerEnd({ layer, error, outstanding }: RequestEvidence, short: ShortPath): string | undefined {
  if (layer === undefined) return undefined;
  const name = layerName(layer, short);
  const ago = `${seconds(layer.settledMs ?? layer.returnedMs ?? layer.enteredMs)} ago`;
  switch (layer.outcome) {
    case 'fulfilled':
      return layer.chain === true
        ? `the chain of middleware ended ${ago}; ${name} was entered last`
        : `${name} finished ${ago}`;
    case 'rejected':
      return `${name} was rejected ${ago}${error === undefined ? '' : ` with ${errorText(error, short)}`}`;
    case 'threw':
      return outstanding === 0 ? `${name} threw ${ago}` : undefined;
    case 'returned':
      return outstanding === 0 ? `${name} returned ${ago}, and nothing was entered after it` : undefined;
    default:
      return undefined;
  }
}

/** `middleware authenticate (src/auth.ts:12)`. */
export function layerName({ label, file, line }: DumpLayer, short: ShortPath): string {
  return file === undefined ? label : `${label} (${short(file)}:${line})`;
}

/** `TypeError, made in parse (src/parse.ts:3:5)`. */
function errorText({ class: name, frames, message }: DumpError, short: ShortPath): string {
  const place = placeOf([frames]);
  const where =
    place === undefined ? '' : `, made in ${place.function} (${short(place.file)}:${place.line}:${place.column})`;
  return `${name}${message === undefined ? '' : ` ${JSON.stringify(message)}`}${where}`;
}

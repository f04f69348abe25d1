import type { AwaitStack } from '@hangwatch/async-hooks-helpers';
import type { RequestRecord } from '../request-record.ts';

/** A layer that comes after one that failed or took too long: its own end says nothing of that. */
const ERROR_HANDLER = /^error ?handler/i;

/** Of a request whose response is out: whether a handler may be waiting still, by what became of the layer that was entered last. */
export function mayWaitStill({ outcome, layer, chainEnded }: RequestRecord): boolean {
  if (outcome !== 'fulfilled' && outcome !== 'rejected' && outcome !== 'threw') return true;
  // A time-out in a chain of middleware rejects the chain, and the layer that is waited for stays as it is.
  if (chainEnded) return outcome === 'rejected';
  return ERROR_HANDLER.test(layer?.label ?? '');
}

/**
 * How long what the handler itself waits for has stood still, the response being out; 0 where it waits for nothing. Work that was begun and
 * left to itself does not count.
 */
export function handlerIdleMs(record: RequestRecord, stacks: readonly AwaitStack[]): number {
  const counted = record.chainEnded ? stacksOfLayer(record, stacks) : stacks.filter(({ own }) => own);
  return counted.length === 0 ? 0 : Math.min(...counted.map(({ latestAgeMs }) => latestAgeMs));
}

/** Nobody awaits the chain any more, so that nothing is its own: what ends in the function that was entered last. */
function stacksOfLayer({ layer }: RequestRecord, stacks: readonly AwaitStack[]): readonly AwaitStack[] {
  const place = layer?.place();
  if (layer === undefined || place === undefined) return [];
  return stacks.filter(
    ({ frames, captured }) =>
      // Captured as the await began: the function may have gone on since, as after a race.
      !captured &&
      frames.some(
        (frame) =>
          frame.file === place.file &&
          frame.line >= place.line &&
          (frame.function === '(anonymous)' || layer.label.endsWith(` ${frame.function}`)),
      ),
  );
}

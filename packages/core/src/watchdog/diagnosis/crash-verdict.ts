import type { DumpCrash, DumpRequest, DumpVerdict } from '@hangwatch/protocol';
import { DIED } from '../delivery/ends-without-a-word.ts';
import { seconds } from './duration-text.ts';
import { digest, fingerprintOf } from './fingerprint.ts';
import { placeOf, shortPathsBelow } from './places.ts';

/** Routes that tell one end of a process from another where there is no error. */
const TELLING_ROUTES = 3;

/**
 * The sentence and the fingerprint of a process's end.
 *
 * @param requests those in flight, the oldest first
 * @param count how many there were in all
 */
export function crashVerdict(
  crash: DumpCrash,
  requests: readonly DumpRequest[],
  count: number,
  cwd: string,
): DumpVerdict {
  return {
    evidence: 'crashed',
    summary: `${causeOf(crash, cwd)}${contextOf(crash, requests)}, with ${inFlightText(requests, count)}`,
    fingerprint: crashFingerprint(crash, requests),
  };
}

function causeOf({ cause, exitCode, error, handledMs }: DumpCrash, cwd: string): string {
  const place = error === undefined ? undefined : placeOf([error.frames]);
  const short = shortPathsBelow(cwd);
  // Where it was made: it may have been thrown elsewhere, and later.
  const made = place && `, made in ${place.function} (${short(place.file)}:${place.line}:${place.column})`;
  const what = `${error?.class ?? 'an error'}${made ?? ''}`;
  const comma = made === undefined ? '' : ',';
  if (handledMs !== undefined) {
    const after = `${seconds(handledMs)} after ${what}${comma} was not caught`;
    return `the process exited with code ${exitCode ?? 0}, ${after}, which the application handles`;
  }
  switch (cause) {
    case 'uncaught-exception':
      return `${what}${comma} was not caught and ended the process`;
    case 'unhandled-rejection':
      return `a rejection that nobody handled ended the process: ${what}`;
    case 'exit':
      return `the process exited with code ${exitCode ?? 0}`;
    case 'died':
      return DIED;
  }
}

/** Whose code it was. An error that the application has handled is not what the process ended in. */
function contextOf({ running, handledMs }: DumpCrash, requests: readonly DumpRequest[]): string {
  const request = handledMs === undefined ? requests.find(({ id }) => id === running) : undefined;
  return request === undefined ? '' : `, in the context of #${request.id} ${request.method} ${request.route}`;
}

function inFlightText([oldest]: readonly DumpRequest[], count: number): string {
  if (oldest === undefined) return 'nothing in flight';
  const name = `${oldest.method} ${oldest.route} for ${seconds(oldest.elapsedMs)}`;
  return count === 1 ? `one request in flight: ${name}` : `${count} requests in flight; the oldest, ${name}`;
}

/** The same for each crash by the same error; without one, for each end by the same cause with the same routes in flight the longest. */
function crashFingerprint({ cause, exitCode, error }: DumpCrash, requests: readonly DumpRequest[]): string {
  if (error !== undefined)
    return fingerprintOf({ evidence: 'crashed', method: cause, route: error.class, stacks: [error.frames] });
  const routes = [...new Set(requests.map(({ method, route }) => `${method} ${route}`))]
    .slice(0, TELLING_ROUTES)
    .sort();
  return digest(['crashed', `${cause} ${exitCode ?? ''}`, ...routes]);
}

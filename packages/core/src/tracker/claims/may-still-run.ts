import type { RequestRecord } from '../request-record.ts';

/**
 * What may run code of a request's that is none of its awaits, and so may release what it holds or cancel what it waits for: what it has made and what
 * may still call it back, a listener that waits for its client to leave, its abort signal. In words; `undefined`: nothing may.
 *
 * **What this has to show**: no code that the request has left behind will run. All that Node tells of is looked at, and what cannot be told counts as
 * there: of requests that entered before anything could be claimed, more resources than are kept, kinds of resources whose end nobody sees. What it
 * cannot show is left to the premise of `docs/deadlocks.md`: that nobody else was given the release.
 */
export function mayStillRun(record: RequestRecord): string | undefined {
  const { subject } = record;
  if (!record.isFollowed) return 'something begun before locks were known';
  const calling = record.resources?.callingBack();
  if (calling !== undefined) return `a pending callback (${calling})`;
  if (record.mayAbort) return 'the abort signal';
  if (record.respondStatus !== 0) return 'the answer in the place';
  const event = subject?.listenedEvent(record.endListeners);
  return event === undefined ? undefined : `a listener ("${event}") on the connection`;
}

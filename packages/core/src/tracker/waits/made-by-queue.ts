import { callSites } from '../evidence/call-sites.ts';

/** From the publication of a request down to the function that empties a pool's queue there are some ten frames. */
const FRAMES = 24;

/** Whether the code that runs now has been called by a pool of undici's that empties its queue, and not by whoever wants the call. */
export function madeByQueue(): boolean {
  return callSites(madeByQueue, FRAMES).some((site) => /drain/i.test(site.getFunctionName() ?? ''));
}

import type { CallSite } from './call-site.ts';
import { frameWalker } from './frame-walker.ts';
import type { CapturedStack } from './probe-realm.ts';

/**
 * The running stack below `above`, taken and not formatted: 1 to 5 microseconds. It runs nothing of the application's, whatever that did to
 * `Error`. `undefined` where the runtime has no stacks.
 *
 * @param above the function whose callers are wanted
 * @param limit frames of Node's own and of the application
 */
export function captureStack(above: (...args: never[]) => unknown, limit: number): CapturedStack | undefined {
  return frameWalker()?.realm.capture(above, limit);
}

/** The call sites of what {@link captureStack} took, innermost first, without Node's own. */
export function capturedFrames(captured: CapturedStack): CallSite[] {
  const walker = frameWalker();
  if (walker === undefined) return [];
  return walker
    .callSites()
    .all(walker.realm.sitesOf(captured))
    .filter(({ kind }) => kind !== 'node');
}

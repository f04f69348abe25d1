import { type CallSite, CallSites } from './call-site.ts';
import { foreverPending } from './forever-pending.ts';
import { OwnFrames, ownAwaited } from './own-await.ts';
import { type CapturedStack, createProbeRealm, type ProbeRealm } from './probe-realm.ts';
import { createScriptOrigins, type ScriptOrigin } from './script-origin.ts';

/** Frames of a stack, unless asked otherwise. */
export const DEFAULT_FRAME_LIMIT = 200;

/** Everything that turns promises into frames: one a thread, made when it is first needed. */
export class FrameWalker {
  readonly own: OwnFrames = new OwnFrames();
  readonly realm: ProbeRealm;
  readonly originOf: (script: string | null | undefined) => ScriptOrigin;

  constructor() {
    this.realm = createProbeRealm();
    this.originOf = createScriptOrigins(this.#ownScript());
  }

  /** Interns frames: make one for each collection, so that nothing of it stays. */
  callSites(): CallSites {
    return new CallSites(this.originOf);
  }

  walk(promise: object, limit: number = DEFAULT_FRAME_LIMIT, callSites: CallSites = this.callSites()): CallSite[] {
    const [sites = []] = this.realm.walk([promise], limit);
    return callSites.all(sites);
  }

  walkAll(promises: readonly object[], limit: number, callSites: CallSites): CallSite[][] {
    return this.realm.walk(promises, limit).map((sites) => callSites.all(sites));
  }

  /** The frames of a captured stack that belong to the await: the hooks' own, and Node's that ran synchronously, are left out. */
  framesOf(captured: CapturedStack, callSites: CallSites): CallSite[] {
    const frames: CallSite[] = [];
    for (const site of this.realm.sitesOf(captured)) {
      // The innermost is suspended a moment after the capture.
      const frame = frames.length === 0 ? callSites.of(site, true) : callSites.of(site);
      if (frame.kind !== 'node' || (frame.async && frames.length > 0)) frames.push(frame);
    }
    return frames;
  }

  /** The name of this script as V8 has it, which is what stacks show: no module system need be asked. */
  #ownScript(): string {
    const here = (): CapturedStack => this.realm.capture(here);
    return this.realm.sitesOf(here())[0]?.getFileName() ?? '';
  }
}

let shared: FrameWalker | undefined;
let disabled = false;

/** The thread's walker; undefined where the runtime can't have one. */
export function frameWalker(): FrameWalker | undefined {
  if (shared !== undefined || disabled) return shared;
  try {
    const walker = new FrameWalker();
    learnOwnFrames(walker);
    shared = walker;
  } catch {
    disabled = true;
  }
  return shared;
}

/** From here on there are no stacks in this thread. */
export function disableFrameWalker(): void {
  shared = undefined;
  disabled = true;
}

/** Awaits something with each of the functions that mark own stacks, and looks where they wait. */
function learnOwnFrames(walker: FrameWalker): void {
  for (const promise of ownAwaited(foreverPending)) {
    const frame = walker.walk(promise).at(-1);
    if (frame !== undefined) walker.own.add(frame);
  }
}

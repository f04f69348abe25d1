import type { ResolvedOptions } from '../options/resolve-options.ts';
import { Tracker } from '../tracker.ts';

/** The version is that of this shape: copies of hangwatch that agree on it share one tracker, across ESM and CommonJS. */
const KEY = Symbol.for('hangwatch.core/1');
const OFF = Symbol.for('hangwatch.core/1.off');
const CLAIMS = Symbol.for('hangwatch.core/1.claims');
/** Options that one watchdog can have only one of. The scan interval is one too, but its default follows each registration's timeout. */
const PROCESS_WIDE = [
  'collectors',
  'token',
  'service',
  'version',
  'spoolDir',
  'signal',
  'exitDelayMs',
  'blockedLoopMs',
  'blockedLoopStack',
] as const;
/** The same of what has no default that could be compared. */
const WHERE_GIVEN = ['onHang', 'onInternalError', 'recorderEntries'] as const;

/** How long the last to close lets reports that are under way arrive. */
export const CLOSE_DEADLINE_MS = 2_000;

interface Shared {
  tracker: Tracker;
  options: ResolvedOptions;
  registrations: number;
}
type Global = { [KEY]?: Shared | undefined };

/** The process's tracker, made for the first registration. */
export function sharedTracker(options: ResolvedOptions): Tracker {
  const global = globalThis as Global;
  const shared = global[KEY];
  if (shared === undefined) {
    const tracker = new Tracker(options);
    if (CLAIMS in globalThis) tracker.followResources();
    // Not enumerable: nobody who lists the globals should meet it.
    Object.defineProperty(globalThis, KEY, {
      value: { tracker, options, registrations: 1 },
      configurable: true,
      writable: true,
    });
    return tracker;
  }
  shared.registrations += 1;
  const different = [
    ...PROCESS_WIDE.filter((name) => JSON.stringify(options[name]) !== JSON.stringify(shared.options[name])),
    // Who gives none does not ask for another.
    ...WHERE_GIVEN.filter((name) => options[name] !== undefined && options[name] !== shared.options[name]),
  ];
  if (different.length > 0) {
    shared.tracker.problem(
      'HANGWATCH_ERR_CONFLICTING_OPTIONS',
      `${different.join(', ')} belong to the whole process, and an earlier registration has decided: the later values are not used`,
    );
  }
  return shared.tracker;
}

/** One more user of the process's tracker, if there is one; to be given back. */
export function holdTracker(): Tracker | undefined {
  const shared = (globalThis as Global)[KEY];
  if (shared === undefined) return undefined;
  shared.registrations += 1;
  return shared.tracker;
}

/** The tracker, if any application has registered. */
export function existingTracker(): Tracker | undefined {
  return (globalThis as Global)[KEY]?.tracker;
}

/** From now on something can be claimed: what may release it is followed, in this tracker and in later ones. */
export function expectClaims(): void {
  if (!(CLAIMS in globalThis)) Object.defineProperty(globalThis, CLAIMS, { value: true, configurable: true });
  existingTracker()?.followResources();
}

/** Notes that an application has registered with hangwatch switched off: who asks for it later can be told. */
export function noteSwitchedOff(): void {
  if (!(OFF in globalThis)) Object.defineProperty(globalThis, OFF, { value: true, configurable: true });
}

/** Whether an application has registered with hangwatch switched off. */
export function isSwitchedOff(): boolean {
  return OFF in globalThis;
}

/** Gives a registration back; the last one stops the tracker. */
export async function releaseTracker(tracker: Tracker, deadlineMs: number): Promise<void> {
  const global = globalThis as Global;
  const shared = global[KEY];
  if (shared === undefined || shared.tracker !== tracker) return;
  shared.registrations -= 1;
  if (shared.registrations > 0) return;
  global[KEY] = undefined;
  await tracker.stop(deadlineMs);
}

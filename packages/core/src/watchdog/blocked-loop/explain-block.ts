import type { DumpBlock, DumpFrame } from '@hangwatch/protocol';
import type { KernelReading } from './kernel-thread.ts';
import type { Sleep } from './sleeping-in.ts';
import { placeText, whatRuns } from './what-runs.ts';

/** A synchronous stack of the blocked thread. */
export interface BlockStack {
  readonly frames: readonly DumpFrame[];
  /** Source text from the innermost frame's position to the end of its line. */
  readonly source: string;
  /** It was taken as native code returned: what ran until then was called from it, or shortly before. */
  readonly late: boolean;
  readonly heapUsed: number | undefined;
}

/** Everything that is known of a block. */
export interface BlockFacts {
  readonly sinceMs: number;
  /** Soon after the block began, and when it was last seen. */
  readonly first: KernelReading | undefined;
  readonly last: KernelReading | undefined;
  /** Milliseconds between the two. */
  readonly betweenMs: number;
  /** What it sleeps in, if it does. */
  readonly sleep: Sleep | undefined;
  readonly stack: BlockStack | undefined;
  readonly stackNote: string | undefined;
  /** What the paused thread has said of the request whose code runs; `undefined`: it could not be asked. */
  readonly running: { readonly request: number | undefined } | undefined;
  /** The request that was last seen to begin or go on: what runs now may be something else. */
  readonly lastRan: number | undefined;
  readonly cwd: string;
}

/** Share of the time from which on a thread is said to run, or to wait for a CPU. */
const MOSTLY = 0.5;
/** Share of the time below which the lack of a CPU is all there is to say. */
const STARVED = 0.1;
/** Share of the heap's limit from which on the garbage collector does most of the work. */
const HEAP_FULL = 0.9;
/**
 * CPU time of V8's helper threads, in parts of the thread's own: in a collection each of them works as much as the thread does. `JSON.parse` of a
 * million objects, whose garbage is collected on the way, comes to 0.4; a full heap and native code to less.
 */
const COLLECTS = 1;
const COLLECTS_MUCH = 0.25;
/** Share that they have to have worked, all together, of the time in which CPUs were to be had: next to a thread that sleeps, the least of work is much. */
const COLLECTED = 0.4;

/** Says what a blocked thread does. A pure function from facts to the dump's field. */
export function explainBlock(facts: BlockFacts): DumpBlock {
  const { first, last, stack, running, lastRan, stackNote } = facts;
  const known = first !== undefined && last !== undefined;
  const cpuMs = known ? Math.max(0, last.cpuMs - first.cpuMs) : undefined;
  const cpuWaitMs =
    known && last.cpuWaitMs !== undefined && first.cpuWaitMs !== undefined
      ? Math.max(0, last.cpuWaitMs - first.cpuWaitMs)
      : undefined;
  const awake = waitsForHelpers(facts, cpuMs) ? { ...facts, sleep: undefined } : facts;
  const state = stateOf(awake, cpuMs, cpuWaitMs);
  const { cause, what } = causeOf(awake, state, cpuMs, cpuWaitMs);
  return {
    sinceMs: facts.sinceMs,
    state,
    cause,
    what: `${what}${stack === undefined ? '' : placeText(stack.frames, facts.cwd, stack.late)}${isNobodys(running) ? ' (no request: background work)' : ''}`,
    ...(awake.sleep?.systemCall === undefined ? {} : { systemCall: awake.sleep.systemCall }),
    ...(cpuMs === undefined ? {} : { cpuMs: Math.round(cpuMs) }),
    ...(cpuWaitMs === undefined ? {} : { cpuWaitMs: Math.round(cpuWaitMs) }),
    ...(stack?.heapUsed === undefined ? {} : { heapUsed: stack.heapUsed }),
    ...(running?.request === undefined ? {} : { running: running.request }),
    ...(running !== undefined || lastRan === undefined ? {} : { lastRan }),
    stack: [...(stack?.frames ?? [])],
    ...(stackNote === undefined ? {} : { stackNote }),
  };
}

/** What mostly runs is seen in such a sleep by chance: it waits for V8's helper threads now and then. */
const waitsForHelpers = ({ sleep, betweenMs }: BlockFacts, cpuMs = 0) =>
  sleep?.systemCall === 'futex' && betweenMs > 0 && cpuMs >= MOSTLY * betweenMs;

const isNobodys = (running: BlockFacts['running']) => running !== undefined && running.request === undefined;

function stateOf(
  { last, sleep, betweenMs }: BlockFacts,
  cpuMs: number | undefined,
  cpuWaitMs: number | undefined,
): DumpBlock['state'] {
  if (last === undefined) return 'unknown';
  if (sleep !== undefined) return 'sleeping';
  // Ready and without a CPU looks like running, but for the times.
  if (cpuWaitMs !== undefined && cpuMs !== undefined && betweenMs > 0) {
    if (cpuWaitMs >= MOSTLY * betweenMs && cpuWaitMs > 2 * cpuMs) return 'waiting-for-cpu';
  }
  return 'running';
}

function causeOf(
  { first, last, stack, sleep, betweenMs }: BlockFacts,
  state: DumpBlock['state'],
  cpuMs = 0,
  cpuWaitMs = 0,
): Pick<DumpBlock, 'cause' | 'what'> {
  const helperMs = (last?.helperCpuMs ?? 0) - (first?.helperCpuMs ?? 0);
  const collected = betweenMs > 0 && helperMs >= COLLECTED * (betweenMs - cpuWaitMs);
  const { heapUsed = 0, late = false } = stack ?? {};
  const isFull = heapUsed >= HEAP_FULL && (!late || (collected && helperMs >= COLLECTS_MUCH * cpuMs));
  if (isFull || (collected && helperMs >= COLLECTS * cpuMs))
    return { cause: 'garbage-collection', what: `is busy collecting garbage${heapText(heapUsed)}` };
  const starved = state === 'waiting-for-cpu';
  const share = Math.round((100 * cpuMs) / Math.max(1, betweenMs));
  if (starved && (stack === undefined || cpuMs < STARVED * betweenMs))
    return {
      cause: 'cpu-starvation',
      what: `gets hardly any CPU (${share}% of the time: others take it, or a quota is used up)`,
    };
  const found = withoutStarvation(stack, sleep, state);
  return starved ? { ...found, what: `${found.what} (with a CPU for ${share}% of the time)` } : found;
}

/** A heap with room says nothing; nor may it have been asked. */
const heapText = (used: number) => (used < MOSTLY ? '' : ` (its heap is ${Math.round(used * 100)}% full)`);

function withoutStarvation(
  stack: BlockStack | undefined,
  sleep: Sleep | undefined,
  state: DumpBlock['state'],
): Pick<DumpBlock, 'cause' | 'what'> {
  if (stack !== undefined) {
    const { late, frames, source } = stack;
    const running = whatRuns(frames, source, late);
    // The kernel saw it asleep, and says more of that than a stack that was taken afterwards.
    if (sleep !== undefined && late && running.cause !== 'child-process' && sleep.cause !== 'unknown') return sleep;
    return running;
  }
  if (sleep !== undefined) return sleep;
  if (state === 'running') return { cause: 'unknown', what: 'computes (no stack says what)' };
  return { cause: 'unknown', what: 'does not answer' };
}

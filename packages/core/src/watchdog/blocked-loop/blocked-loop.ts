import type { DumpBlock } from '@hangwatch/protocol';
import { messageOf } from '../../message-of.ts';
import { kInFlight, kRunning, kSession } from '../../shared/slot-layout.ts';
import type { PausedEvidence, PauseLimits, ToMain } from '../../shared/worker-protocol.ts';
import { type BlockFacts, type BlockStack, explainBlock } from './explain-block.ts';
import { Heartbeat } from './heartbeat.ts';
import type { KernelReading } from './kernel-thread.ts';
import type { Sleep } from './sleeping-in.ts';
import type { StackOutcome, TakeStack } from './take-stack.ts';

/** Longest time between two heartbeats, and between two looks for an answer that is late. */
const LONGEST_INTERVAL_MS = 100;
const LATE_INTERVAL_MS = 20;
/** How long the first report waits for the stack. */
const STACK_WAIT_MS = 350;
/** After a block the application has what lay waiting for it, before its requests are asked why they stand still. */
const DRAIN_MS = 500;
/** How often it is looked in the middle of a block whether a debugger has come: reading who is connected is not free. */
const LOOK_FOR_DEBUGGER_MS = 100;
/** A report of the block is this near: evidence that the main thread does not give can wait for it. */
const SOON_MS = 2_000;

const MAY_HANG =
  'no stack: no process can be started here that stores reports, and a disk that hangs would keep the watchdog from letting the paused thread go on';

/** What a report of a block is made of. */
export interface FoundBlock {
  readonly block: DumpBlock;
  /** Await stacks and so on of the other requests, where the main thread could be asked. */
  readonly evidence: PausedEvidence | undefined;
  /** The first report of the same block. */
  readonly follows: string | undefined;
}

/** What the monitor needs from outside. */
export interface BlockedLoopParts {
  readonly header: Uint32Array;
  readonly thresholdMs: number;
  readonly cwd: string;
  readonly monotonicMs: () => number;
  readonly post: (message: ToMain) => void;
  readonly readKernel: () => KernelReading | undefined;
  readonly readSleep: (reading: KernelReading, forMs: number) => Sleep;
  readonly debuggerAttached: () => boolean;
  /** `undefined`: the stack is not to be taken; `why` says so in the report. */
  readonly takeStack: ((stillBlocked: () => boolean) => Pick<TakeStack, 'outcome' | 'cancel'>) | undefined;
  readonly whyNoStack: string;
  /** Whether this thread may hang at any moment, and a thread that it has paused with it. */
  readonly mayHang: () => boolean;
  readonly pauses: PauseLimits;
  /** A block is noticed. Returns whether anybody's request is in flight, and not a self-test's alone. */
  readonly noticed: () => boolean;
  /** Sends a report. Returns the dump's id, or `undefined` where it was suppressed. */
  readonly report: (found: FoundBlock) => string | undefined;
  /** The block that was last reported as `follows` is over. */
  readonly ended: (block: DumpBlock, follows: string) => void;
}

interface Observation {
  readonly reading: KernelReading | undefined;
  readonly atMs: number;
}

/** One block, from the moment it is called one. */
interface Episode {
  readonly first: Observation;
  last: Observation;
  silentMs: number;
  /** Who began or went on last before it; 0: nobody. */
  readonly lastRan: number;
  /** A debugger keeps the thread, which is no block; or nobody waits for it. What was told before that is told to have ended. */
  standingOff: boolean;
  lookedForDebuggerMs: number;
  taking: Pick<TakeStack, 'outcome' | 'cancel'> | undefined;
  /** Its last report. */
  reported: { readonly id: string; readonly block: DumpBlock } | undefined;
  told: boolean;
  over: boolean;
}

/**
 * Notices that the main thread's event loop has stopped, says at once what the shared table and the kernel know, and fetches the stack.
 * Driven by one timer of its own, while something is in flight.
 */
export class BlockedLoop {
  readonly #parts: BlockedLoopParts;
  readonly #heartbeat: Heartbeat;
  readonly #intervalMs: number;
  #timer: NodeJS.Timeout | undefined;
  #silentMs = 0;
  /** Soon after the main thread fell silent. */
  #first: Observation | undefined;
  #episode: Episode | undefined;
  #nextPauseMs = Number.NEGATIVE_INFINITY;
  #sessionEnds: Promise<unknown> = Promise.resolve();
  #endedAtMs = Number.NEGATIVE_INFINITY;

  constructor(parts: BlockedLoopParts) {
    this.#parts = parts;
    this.#intervalMs = Math.max(10, Math.min(LONGEST_INTERVAL_MS, parts.thresholdMs / 4));
    this.#heartbeat = new Heartbeat(parts.header, parts.post, this.#intervalMs);
    // The session of a thread that has died has died with it.
    Atomics.store(parts.header, kSession, 0);
  }

  /** Something may be in flight from here on. Idempotent. */
  start(): void {
    if (this.#parts.thresholdMs > 0 && this.#timer === undefined) this.#schedule();
  }

  /**
   * Nothing is in flight until the next start. Resolves when no session with the main thread is open: Node may abort where a thread ends in
   * the middle of what the inspector tells it.
   */
  async stop(): Promise<void> {
    clearTimeout(this.#timer);
    this.#timer = undefined;
    this.#episode?.taking?.cancel();
    await this.#sessionEnds;
  }

  /**
   * Whether what the main thread leaves unanswered is, or is about to be, told as a blocked loop; and shortly after its end, while what
   * lay waiting is being worked off. A request that stands still then is not asked why.
   */
  get explainsSilence(): boolean {
    const { thresholdMs, monotonicMs } = this.#parts;
    if (thresholdMs === 0) return false;
    if (this.#episode !== undefined) return true;
    if (monotonicMs() - this.#endedAtMs < DRAIN_MS) return true;
    return this.#silentMs >= 2 * this.#intervalMs && thresholdMs - this.#silentMs <= SOON_MS;
  }

  /** Whether a debugger keeps the main thread: that is no time in which anything could have moved. */
  get standsOff(): boolean {
    return this.#episode?.standingOff === true;
  }

  /** One look. Public for tests: in the thread, the timer calls it. */
  tick(): void {
    const { header, thresholdMs, monotonicMs, readKernel } = this.#parts;
    const nowMs = monotonicMs();
    if (this.#episode === undefined && Atomics.load(header, kInFlight) === 0) {
      this.#heartbeat.rest(nowMs);
      this.#silentMs = 0;
      return;
    }
    this.#silentMs = this.#heartbeat.tick(nowMs);
    if (this.#silentMs === 0) {
      this.#first = undefined;
      if (this.#episode !== undefined) this.#over(this.#episode, nowMs);
      return;
    }
    const observation = { reading: readKernel(), atMs: nowMs };
    this.#first ??= observation;
    if (this.#episode !== undefined) this.#goesOn(this.#episode, observation);
    else if (this.#silentMs >= thresholdMs) this.#blocked(this.#first, observation);
  }

  #goesOn(episode: Episode, observation: Observation): void {
    if (episode.standingOff) return;
    if (observation.atMs - episode.lookedForDebuggerMs >= LOOK_FOR_DEBUGGER_MS) {
      episode.lookedForDebuggerMs = observation.atMs;
      if (this.#parts.debuggerAttached()) {
        this.#standOff(episode);
        return;
      }
    }
    episode.last = observation;
    episode.silentMs = this.#silentMs;
  }

  /** A debugger has come in the middle of a block: the block lasted until then, and from here on the thread is the debugger's. */
  #standOff(episode: Episode): void {
    if (!episode.told) this.#report(episode, undefined, 'no stack: a debugger was connected before it could be taken');
    // What has been asked for comes, and is let go at once.
    episode.standingOff = true;
  }

  #schedule(): void {
    const dueMs = this.#episode === undefined ? this.#parts.thresholdMs - this.#silentMs : LATE_INTERVAL_MS;
    const intervalMs = this.#silentMs > 0 ? LATE_INTERVAL_MS : this.#intervalMs;
    this.#timer = setTimeout(
      () => {
        this.tick();
        if (this.#timer !== undefined) this.#schedule();
      },
      Math.max(1, Math.min(intervalMs, Math.ceil(dueMs))),
    );
  }

  #blocked(first: Observation, last: Observation): void {
    const { header, takeStack, whyNoStack, mayHang, debuggerAttached, noticed, pauses } = this.#parts;
    const episode: Episode = {
      first,
      last,
      silentMs: this.#silentMs,
      lastRan: Atomics.load(header, kRunning),
      standingOff: debuggerAttached() || !noticed(),
      lookedForDebuggerMs: last.atMs,
      taking: undefined,
      reported: undefined,
      told: false,
      over: false,
    };
    this.#episode = episode;
    if (episode.standingOff) return;
    if (takeStack === undefined) {
      this.#report(episode, undefined, whyNoStack);
    } else if (mayHang()) {
      this.#report(episode, undefined, MAY_HANG);
    } else if (last.atMs < this.#nextPauseMs) {
      this.#report(episode, undefined, 'no stack: one was taken a short while ago');
    } else {
      this.#nextPauseMs = last.atMs + pauses.everyMs;
      Atomics.store(header, kSession, 1);
      episode.taking = takeStack(() => !episode.over && !episode.standingOff && !this.#heartbeat.answered);
      this.#sessionEnds = this.#awaitStack(episode, episode.taking.outcome);
    }
  }

  async #awaitStack(episode: Episode, outcome: Promise<StackOutcome>): Promise<void> {
    const first = setTimeout(() => {
      if (!episode.told) this.#report(episode, undefined, 'no stack yet (native code shows none until it returns)');
    }, STACK_WAIT_MS);
    const taken = await outcome;
    clearTimeout(first);
    episode.taking = undefined;
    const { header, monotonicMs, pauses } = this.#parts;
    Atomics.store(header, kSession, 0);
    this.#nextPauseMs = Math.max(this.#nextPauseMs, monotonicMs() + taken.costMs / pauses.share);
    if (taken.type === 'foreign') episode.standingOff = true;
    else if (!episode.standingOff) this.#tellTaken(episode, taken);
    // It ended in the meantime: that comes after its report.
    if (episode.over) this.#tellEnd(episode);
  }

  #tellTaken(episode: Episode, taken: Exclude<StackOutcome, { type: 'foreign' }>): void {
    if (taken.type === 'stack')
      this.#report(episode, taken, taken.stack.late ? 'the stack was taken as native code returned' : undefined);
    else if (!episode.told) this.#report(episode, undefined, `no stack: ${taken.why}`);
  }

  #report(
    episode: Episode,
    taken: { readonly stack: BlockStack; readonly evidence: PausedEvidence | undefined } | undefined,
    stackNote: string | undefined,
  ): void {
    const { stack, evidence } = taken ?? {};
    const running = evidence === undefined ? undefined : { request: evidence.running };
    const block = explainBlock(this.#facts(episode, stack, stackNote, running));
    episode.told = true;
    try {
      const id = this.#parts.report({ block, evidence, follows: episode.reported?.id });
      if (id !== undefined) episode.reported = { id, block };
    } catch (error) {
      const message = `a block could not be reported: ${messageOf(error)}`;
      this.#parts.post({ type: 'problem', code: 'HANGWATCH_ERR_INTERNAL', message });
    }
  }

  #facts(
    { first, last, silentMs, lastRan }: Episode,
    stack: BlockStack | undefined,
    stackNote: string | undefined,
    running: BlockFacts['running'],
  ): BlockFacts {
    const { cwd, readSleep } = this.#parts;
    const late = stack?.late === true;
    // A stack that comes late is that of a thread that has just woken up: what it slept in was seen before.
    const now = late && first.reading?.state !== 'R' ? first.reading : last.reading;
    return {
      sinceMs: silentMs,
      first: first.reading,
      last: last.reading,
      betweenMs: last.atMs - first.atMs,
      sleep: now === undefined || now.state === 'R' ? undefined : readSleep(now, silentMs),
      stack,
      stackNote,
      running,
      lastRan: lastRan === 0 ? undefined : lastRan,
      cwd,
    };
  }

  #over(episode: Episode, nowMs: number): void {
    this.#episode = undefined;
    this.#endedAtMs = nowMs;
    episode.over = true;
    if (episode.taking === undefined) this.#tellEnd(episode);
    else episode.taking.cancel();
  }

  #tellEnd({ reported, silentMs }: Episode): void {
    if (reported !== undefined) this.#parts.ended({ ...reported.block, sinceMs: silentMs }, reported.id);
  }
}

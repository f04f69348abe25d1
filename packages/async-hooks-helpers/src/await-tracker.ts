import { AsyncLocalStorage } from 'node:async_hooks';
import v8 from 'node:v8';
import { AwaitContext, outside } from './await-context.ts';
import { type AwaitStats, awaitedStamp, createAwaitHooks, type HookState, promiseHooks } from './await-hooks.ts';
import { DefaultClock, useClock } from './clock.ts';
import { frameWalker } from './frame-walker.ts';
import { type Support, selfTest } from './self-test.ts';

export interface AwaitTrackerOptions {
  /**
   * Cell 0 is the time in milliseconds, moved by somebody else (a watchdog thread): the tracker reads it and never a clock. Ages are as
   * fine as its steps.
   * @default a clock of the tracker's own: an unref'd timer every 50 ms while any context is live
   */
  clock?: Uint32Array;
  /**
   * Cell 0 is how many stacks may still be captured for promises with several waiters. The tracker takes from it, somebody else refills it.
   * @default with the default clock, 1,000 a second; with a clock of your own, a budget of 1,000 in all
   */
  captureBudget?: Int32Array;
  /**
   * Cell 0 becomes the `number` of the context whose code began or went on last; 0 for code outside any. Whoever looks from another thread
   * while this one is blocked learns from it whose code that is, most likely.
   * @default a cell of the tracker's own
   */
  running?: Uint32Array;
}

const DEFAULT_BUDGET = 1000;

/**
 * Sees every await of a context as it begins and resumes. One in a thread: `install` returns it to whoever asks, and the hooks stay
 * until each of them has called `uninstall`.
 *
 * @example
 * const tracker = AwaitTracker.install();
 * const context = new AwaitContext(new Uint32Array(1), 0);
 * tracker.run(context, () => ownAwait(handler()));
 */
export class AwaitTracker {
  static #installed: AwaitTracker | undefined;

  /** Carries the context. The same one whether or not the hooks are installed. */
  readonly storage: AsyncLocalStorage<AwaitContext>;
  /** What works here: found out once, by a test that hangs something on purpose. Where it fails, say so and go on. */
  readonly support: Support;
  readonly stats: AwaitStats;
  /** The clock in use: the one given first, or the tracker's own. */
  readonly clock: Uint32Array;
  readonly #running: Uint32Array;
  #users = 1;
  readonly #removeHooks: () => void;

  private constructor(options: AwaitTrackerOptions) {
    const ownClock = options.clock === undefined ? new DefaultClock() : undefined;
    const budget = options.captureBudget ?? ownClock?.budget ?? new Int32Array([DEFAULT_BUDGET]);
    this.clock = options.clock ?? ownClock?.cells ?? new Uint32Array(1);
    this.stats = { captures: 0, capturesDenied: 0, capturesWasted: 0, creations: 0, evicted: 0, failures: 0 };
    this.storage = contextStorage;
    this.#running = options.running ?? new Uint32Array(1);
    useClock(this.clock);
    const state: HookState = {
      storage: this.storage,
      clock: this.clock,
      budget,
      running: this.#running,
      capture: frameWalker()?.realm.capture,
      stampAwaited: awaitedStamp(this.stats),
      stats: this.stats,
    };
    const hooks = installHooks(state);
    this.support = selfTest(this.storage, hooks.failure);
    // Where stacks can't be walked, captured ones can't be joined to anything.
    if (!this.support.stacks) state.capture = undefined;
    ownClock?.start();
    this.#removeHooks = () => {
      hooks.remove();
      ownClock?.stop();
    };
  }

  /**
   * Installs the hooks, or returns the tracker that is installed: then its first caller's options hold. Never throws for what the runtime
   * lacks: see `support`.
   *
   * @throws TypeError if an option is no typed array of its kind
   */
  static install(options: AwaitTrackerOptions = {}): AwaitTracker {
    checkCells('clock', options.clock, Uint32Array);
    checkCells('captureBudget', options.captureBudget, Int32Array);
    checkCells('running', options.running, Uint32Array);
    const installed = AwaitTracker.#installed;
    if (installed !== undefined) {
      installed.#users += 1;
      return installed;
    }
    AwaitTracker.#installed = new AwaitTracker(options);
    return AwaitTracker.#installed;
  }

  /**
   * Calls `fn` in a context: its awaits, and those of everything that it starts, are the context's.
   *
   * @throws TypeError if `context` isn't an `AwaitContext`; and what `fn` throws
   */
  run<A extends unknown[], R>(context: AwaitContext, fn: (...args: A) => R, ...args: A): R {
    if (!(context instanceof AwaitContext)) throw new TypeError('context must be an AwaitContext');
    this.#running[0] = context.number;
    return this.storage.run(context, fn, ...args);
  }

  /** Calls `fn` as if outside any context: what it awaits is in no context's list. The application's own storages stay as they are. */
  runOutside<A extends unknown[], R>(fn: (...args: A) => R, ...args: A): R {
    return this.storage.run(outside, fn, ...args);
  }

  /** The context of the code that runs now. */
  current(): AwaitContext | undefined {
    return this.storage.getStore();
  }

  /** Gives back one `install`. With the last, the hooks go. */
  uninstall(): void {
    if (this.#users === 0) return;
    this.#users -= 1;
    if (this.#users > 0) return;
    this.#removeHooks();
    AwaitTracker.#installed = undefined;
  }
}

/** Outlives trackers: contexts entered under one are still found under the next. */
const contextStorage = new AsyncLocalStorage<AwaitContext>();

function installHooks(state: HookState): { remove: () => void; failure: string | undefined } {
  const hooks = createAwaitHooks(state);
  const removers: (() => void)[] = [];
  const remove = (): void => {
    promiseHooks.installed = false;
    for (const stop of removers.splice(0)) stop();
  };
  try {
    removers.push(v8.promiseHooks.onInit(hooks.onInit) as () => void);
    removers.push(v8.promiseHooks.onBefore(hooks.onBefore) as () => void);
    promiseHooks.installed = true;
    return { remove, failure: undefined };
  } catch (error) {
    remove();
    return { remove, failure: error instanceof Error ? error.message : String(error) };
  }
}

function checkCells(name: string, cells: unknown, kind: typeof Uint32Array | typeof Int32Array): void {
  if (cells === undefined || (cells instanceof kind && cells.length > 0)) return;
  const got = cells instanceof kind ? 'one of none' : typeof cells;
  const article = kind === Int32Array ? 'an' : 'a';
  throw new TypeError(`options.${name} must be ${article} ${kind.name} of at least one cell, got ${got}`);
}

import { types } from 'node:util';
import { HangwatchError } from '../errors.ts';
import { messageOf } from '../message-of.ts';
import { resolveOptions } from './options/resolve-options.ts';
import { type RouteOptions, resolveRouteOptions } from './options/route-override.ts';
import type { AnyFunction, Site } from './places/site.ts';
import { ProblemReporter } from './process/problem-reporter.ts';
import { CLOSE_DEADLINE_MS, holdTracker, isSwitchedOff, releaseTracker } from './process/process-tracker.ts';
import type { RequestRecord } from './request-record.ts';
import { TaskSubject } from './task-subject.ts';
import type { Tracker } from './tracker.ts';
import { openWatch } from './watch.ts';

/** What a task may set for itself, as a route may. */
export type TaskOptions = Omit<RouteOptions, 'respond'>;

/** Of a name, this much is kept. */
const LONGEST_NAME = 200;
/** Set once hangwatch could not be opened for tasks: the environment will say the same at the next one. */
let cannotOpen = false;

/**
 * Calls `fn` and watches it as a request is watched, until it has returned or the promise that it returned has settled: for jobs of queues, cron
 * jobs, scripts. In reports it is `TASK name`, and so in `routes` and `configure`. Needs no server and no adapter: the first task of a process
 * that has none opens hangwatch with what the environment says; where an application has registered, its options hold. A task never keeps
 * the process alive. Inside a request or another task it is a record of its own, and the outer one goes on in its own context.
 *
 * @param name short, without secrets, the same for all runs of a job; at most 200 characters are kept
 * @param fn what is awaited has to be a genuine promise: anything else it returns, a lazy query builder say, ends the task
 * @param options `timeout`, `maxDuration`, `abort` and `level` of this task; `false`: it is shown as in flight, and never as stuck
 * @returns what `fn` returns: of a promise, one that settles in the same way. What `fn` throws is thrown, and hangwatch adds nothing to it
 * @example
 * cron.schedule('0 3 * * *', () => watchTask('nightly report', () => sendReports(), { timeout: 60_000 }));
 */
export function watchTask<T>(name: string, fn: () => T, options: TaskOptions | false = {}): T {
  const task = Task.enter(name, fn, options);
  return task === undefined ? fn() : task.run(fn);
}

class Task {
  readonly #tracker: Tracker;
  readonly #record: RequestRecord;
  readonly #site: Site;

  private constructor(tracker: Tracker, record: RequestRecord, site: Site) {
    this.#tracker = tracker;
    this.#record = record;
    this.#site = site;
  }

  /** Never throws. `undefined`: it is not to be watched, or cannot be. */
  static enter(name: string, fn: AnyFunction, options: TaskOptions | false): Task | undefined {
    const tracker = trackerForTask(options);
    if (tracker === undefined) return undefined;
    let record: RequestRecord | undefined;
    try {
      const label = String(name).slice(0, LONGEST_NAME);
      record = tracker.enter(new TaskSubject(label, tracker.clock[0] as number), tracker.taskRules);
      if (record !== undefined) {
        record.setRoute(label);
        setOptions(tracker, record, label, options);
        return new Task(tracker, record, tracker.site(`task ${label}`, fn));
      }
    } catch (error) {
      record?.leave(true);
      tracker.problem('HANGWATCH_ERR_INTERNAL', `a task could not be registered: ${messageOf(error)}`, error);
    }
    release(tracker);
    return undefined;
  }

  run<T>(fn: () => T): T {
    let goesOn = false;
    // Not `catch`: an error that is thrown again shows our line as its origin when it ends the process.
    try {
      const result = this.#record.callLayer<undefined, [], T>(this.#site, fn, undefined, [], 'awaited');
      if (!types.isPromise(result)) return result;
      goesOn = true;
      return this.#settled(result) as T;
    } finally {
      if (!goesOn) this.#end();
    }
  }

  /** Functions of ours between the two promises: V8's walk ends here, so that a caller who awaits the task is in no stack of the task. */
  #settled(promise: Promise<unknown>): Promise<unknown> {
    return new Promise((resolve, reject) => {
      promise.then(
        (value) => {
          this.#end();
          resolve(value);
        },
        (error: unknown) => {
          this.#end();
          reject(error);
        },
      );
    });
  }

  #end(): void {
    this.#record.leave(true);
    release(this.#tracker);
  }
}

/** The process's tracker, held for one task. */
function trackerForTask(options: TaskOptions | false): Tracker | undefined {
  const tracker = holdTracker();
  if (tracker !== undefined || cannotOpen || isSwitchedOff()) return tracker;
  try {
    // This registration stays: the next task must not have to start a thread again. Whatever the tasks, the thread keeps nothing alive.
    openWatch({ scanInterval: scanIntervalFor(options) });
    const opened = holdTracker();
    cannotOpen = opened === undefined;
    return opened;
  } catch (error) {
    cannotOpen = true;
    const reason =
      error instanceof HangwatchError
        ? error
        : new HangwatchError('HANGWATCH_ERR_INTERNAL', `tasks are not watched: ${messageOf(error)}`, { cause: error });
    new ProblemReporter(undefined).report(reason);
    return undefined;
  }
}

/** Fine enough for the shorter of the first task's timeout and the environment's. */
function scanIntervalFor(options: TaskOptions | false): number {
  const { scanIntervalMs } = resolveOptions({});
  const timeout: unknown = options === false ? undefined : options?.timeout;
  return typeof timeout === 'number' && timeout >= 1
    ? Math.max(10, Math.min(scanIntervalMs, Math.round(timeout / 10)))
    : scanIntervalMs;
}

/** Wrong options are said, and must not fail the job. */
function setOptions(tracker: Tracker, record: RequestRecord, label: string, options: TaskOptions | false): void {
  try {
    record.override(resolveRouteOptions(options, `options of watchTask ${JSON.stringify(label)}`));
  } catch (error) {
    tracker.problemOnce('HANGWATCH_ERR_OPTION', messageOf(error));
  }
}

/** While a task is in flight the tracker stays, also where the server that opened it has closed. */
function release(tracker: Tracker): void {
  releaseTracker(tracker, CLOSE_DEADLINE_MS).catch((error: unknown) =>
    tracker.problem('HANGWATCH_ERR_INTERNAL', `the watchdog could not be stopped: ${messageOf(error)}`, error),
  );
}

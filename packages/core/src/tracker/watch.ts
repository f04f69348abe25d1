import { messageOf } from '../message-of.ts';
import type { Configuration, HangwatchOptions } from '../options.ts';
import { Drain } from './drain.ts';
import type { IncomingRequest, OutgoingResponse } from './http/http-messages.ts';
import { HttpSubject } from './http/http-subject.ts';
import { OrderChecks, type RouteTimeout } from './http/order-checks.ts';
import { recordOf } from './http/request-stamp.ts';
import { onServerClose } from './http/server-close.ts';
import { wasSent } from './http/was-sent.ts';
import { resolveConfiguration } from './options/resolve-configuration.ts';
import { type ResolvedOptions, resolveOptions } from './options/resolve-options.ts';
import { Rules } from './options/rules.ts';
import type { AnyFunction, Site } from './places/site.ts';
import { CLOSE_DEADLINE_MS, noteSwitchedOff, releaseTracker, sharedTracker } from './process/process-tracker.ts';
import { Shutdown } from './process/shutdown.ts';
import type { RequestRecord } from './request-record.ts';
import type { Tracker } from './tracker.ts';

/**
 * One application's registration with hangwatch: what an adapter holds. All registrations of a process share one tracker and one
 * watchdog.
 *
 * @example
 * const watch = openWatch({ timeout: 5_000 });
 * const record = watch.enter(request, response);
 * if (record === undefined) next();
 * else watch.run(record, next);
 */
export class Watch {
  readonly options: ResolvedOptions;
  readonly #rules: Rules;
  readonly #order: OrderChecks;
  readonly #tracker: Tracker | undefined;
  /** Servers of whose closing it is told. */
  readonly #followed = new WeakSet<object>();
  readonly #shutdown: Shutdown;
  /** `closing`: no request is entered any more, and those in flight are still watched. */
  #state: 'open' | 'closing' | 'closed' = 'open';
  /** Whoever has called `close` waits no longer. */
  #stopWaiting: (() => void) | undefined;

  constructor(options: ResolvedOptions, tracker: Tracker | undefined) {
    this.options = options;
    this.#tracker = tracker;
    this.#rules = new Rules(options);
    this.#order = new OrderChecks(this.#rules, (other, timeoutMs, route) =>
      tracker?.timeouts.check(other, timeoutMs, options.scanIntervalMs, route),
    );
    this.#rules.order = this.#order;
    tracker?.rules.add(this.#rules);
    this.#shutdown = new Shutdown(options.shutdownTimeoutMs, (closing) => tracker?.reportClosing(closing));
  }

  /** `false`: switched off by option, environment or test runner; every call is a no-op. */
  get enabled(): boolean {
    return this.#tracker !== undefined && this.#state === 'open';
  }

  /**
   * Registers a request, unless it is ignored or registered already, and frees it when its response has ended or its client has left.
   * Never throws.
   *
   * @returns the record to run the request with, or `undefined` where the request is not to be entered
   */
  enter(request: IncomingRequest, response: OutgoingResponse): RequestRecord | undefined {
    const tracker = this.#tracker;
    if (tracker === undefined || this.#state !== 'open') return undefined;
    try {
      // A server that is watched, or an application that this one is mounted in, has been first.
      if (recordOf(request) !== undefined) return undefined;
      // Over before it began, as when a client leaves while an earlier middleware is busy: no `close` will come any more.
      if (response.destroyed || response.writableFinished) return undefined;
      if (this.#ignores(request, tracker)) return undefined;
      const record = tracker.enter(new HttpSubject(request, response), this.#rules);
      if (record !== undefined) {
        const { server } = Object(request.socket) as { server?: unknown };
        if (server !== this.#order.server) this.meet(server);
        // `close` comes last, of a finished response as of one whose client left. It may come twice.
        response.on('close', function hangwatchLeft() {
          record.leave(wasSent(response));
        });
      }
      return record;
    } catch (error) {
      tracker.problem('HANGWATCH_ERR_INTERNAL', `a request could not be registered: ${messageOf(error)}`, error);
      return undefined;
    }
  }

  /** Runs `fn` in the request's context. */
  run<A extends unknown[], R>(record: RequestRecord, fn: (...args: A) => R, ...args: A): R {
    return this.#tracker === undefined ? fn(...args) : this.#tracker.run(record, fn, ...args);
  }

  /**
   * A place that requests pass; make it once and hand it to {@link RequestRecord.enterSite} often.
   *
   * @param where the function whose source is the place
   */
  site(label: string, where?: AnyFunction): Site | undefined {
    return this.#tracker?.site(label, where);
  }

  /**
   * Changes this registration's thresholds, routes and what it ignores, for requests in flight as well.
   *
   * @throws {HangwatchError} `HANGWATCH_ERR_OPTION` when something is wrong; then nothing has changed
   * @example
   * watch.configure({ routes: { 'GET /export': { timeout: 120_000 } } });
   */
  configure(change: Configuration): void {
    const resolved = resolveConfiguration(change);
    this.#tracker?.configure(resolved, this.#rules);
  }

  /**
   * The application is done: requests that come now are not watched. The last one to close ends the watchdog, once its reports are delivered or spooled.
   * Requests in flight are watched until they end; they are waited for, but not for longer than two seconds. Idempotent.
   */
  async close(): Promise<void> {
    const tracker = this.#tracker;
    if (this.#state !== 'open') return;
    this.#state = 'closing';
    if (tracker === undefined) return;
    await new Promise<void>((resolve, reject) => {
      const release = () => this.end().then(resolve, reject);
      const drain = new Drain(tracker.records, this.#rules, release);
      if (drain.isOver) {
        release();
        return;
      }
      this.#shutdown.begin('close()', this);
      this.#stopWaiting = resolve;
      setTimeout(resolve, CLOSE_DEADLINE_MS).unref();
    });
  }

  /**
   * The application says that it begins to close: what holds it is reported if that takes longer than `shutdownTimeout`.
   *
   * @param what what was called, as the beginning of a sentence: `app.close()`
   */
  closing(what: string): void {
    if (this.enabled) this.#shutdown.begin(what, this);
  }

  /** The application has closed, and its servers with it: requests that are still in flight are answered no more. Idempotent. */
  async end(): Promise<void> {
    if (this.#state === 'closed') return;
    this.#state = 'closed';
    this.#shutdown.over();
    this.#rules.onLeft = undefined;
    this.#tracker?.rules.delete(this.#rules);
    if (this.#tracker !== undefined) await releaseTracker(this.#tracker, CLOSE_DEADLINE_MS);
    this.#stopWaiting?.();
  }

  /** A server that is told to close is an application that begins to. */
  follow(server: unknown): void {
    if (typeof server !== 'object' || server === null || this.#followed.has(server)) return;
    this.#followed.add(server);
    onServerClose(
      server,
      (by) => this.enabled && this.#shutdown.begin('server.close()', by),
      (by) => {
        this.#shutdown.end(by);
        // It may listen again.
        this.#followed.delete(by);
        this.#order.forget(by);
      },
    );
  }

  /** A server listens whose requests enter here, or will: says so, once a process, where its own time-outs end them before they can be reported. */
  meet(server: unknown): void {
    this.follow(server);
    this.#order.meet(server);
  }

  /** Says so, once a process, where a framework's own time-out ends requests of a route before they can be reported. To be called once a route. */
  checkOrder(route: RouteTimeout): void {
    this.#order.meetRoute(route);
  }

  /** A rule that throws ignores nothing: better a request too many in a report than a hang that nobody sees. */
  #ignores(request: IncomingRequest, tracker: Tracker): boolean {
    try {
      return this.#rules.ignores(request);
    } catch (error) {
      tracker.problem('HANGWATCH_ERR_CALLBACK', `ignore threw: ${messageOf(error)}`, error);
      return false;
    }
  }
}

/**
 * Checks the options and registers with the process's tracker.
 *
 * @throws {HangwatchError} `HANGWATCH_ERR_OPTION`
 */
export function openWatch(options: HangwatchOptions = {}): Watch {
  const resolved = resolveOptions(options);
  if (!resolved.enabled) noteSwitchedOff();
  return new Watch(resolved, resolved.enabled ? sharedTracker(resolved) : undefined);
}

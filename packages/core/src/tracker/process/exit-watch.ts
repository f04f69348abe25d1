import type { DumpCrash } from '@hangwatch/protocol';
import { describeError } from '../evidence/describe-error.ts';
import type { RequestRecord } from '../request-record.ts';

/** An application that catches an error may take its time to flush its logs before it exits because of it. */
const BLAMED_FOR_MS = 10_000;

interface Fatal {
  readonly error: unknown;
  readonly origin: NodeJS.UncaughtExceptionOrigin;
  readonly atMs: number;
  /** The application listens to uncaught exceptions, or captures them, and decides itself what comes of this one. */
  readonly handled: boolean;
  /** Number of the request in whose context it was thrown. */
  readonly running: number | undefined;
}

interface Parts {
  readonly records: readonly (RequestRecord | undefined)[];
  readonly errorMessages: boolean;
  /** The request in whose context the code runs. */
  readonly current: () => RequestRecord | undefined;
  /** May wait, for a bounded time. */
  readonly report: (crash: DumpCrash) => void;
  /** Told instead where there is nothing to report; may wait as well. */
  readonly endQuietly: () => void;
}

/**
 * Hears how the process ends, and has it reported where an error ends it or requests are in flight. It handles nothing and listens to no
 * signal: errors stay uncaught, exit codes and signals what they are. A process that ends with nothing in flight is not delayed.
 */
export class ExitWatch {
  readonly #parts: Parts;
  #fatal: Fatal | undefined;
  #forgetting: NodeJS.Timeout | undefined;

  constructor(parts: Parts) {
    this.#parts = parts;
    process.on('uncaughtExceptionMonitor', this.#onFatal);
    process.on('exit', this.#onExit);
  }

  stop(): void {
    this.#forget();
    process.removeListener('uncaughtExceptionMonitor', this.#onFatal);
    process.removeListener('exit', this.#onExit);
  }

  /** The application may handle it yet: whether it ends the process is known when that ends. */
  readonly #onFatal = (error: unknown, origin: NodeJS.UncaughtExceptionOrigin): void => {
    const handled = process.listenerCount('uncaughtException') > 0 || process.hasUncaughtExceptionCaptureCallback();
    this.#fatal = { error, origin, atMs: performance.now(), handled, running: this.#parts.current()?.id };
    clearTimeout(this.#forgetting);
    this.#forgetting = setTimeout(this.#forget, BLAMED_FOR_MS).unref();
  };

  readonly #forget = (): void => {
    clearTimeout(this.#forgetting);
    this.#fatal = undefined;
  };

  readonly #onExit = (code: number): void => {
    const { records, errorMessages, current, report, endQuietly } = this.#parts;
    try {
      const exitCode = code & 0xff;
      const fatal = this.#fatal;
      if (fatal !== undefined && exitCode !== 0) {
        const cause = fatal.origin === 'unhandledRejection' ? 'unhandled-rejection' : 'uncaught-exception';
        const error = describeError(fatal.error, errorMessages);
        const handled = fatal.handled ? { handledMs: performance.now() - fatal.atMs } : {};
        report({ cause, exitCode, error, running: fatal.running, ...handled });
      } else if (records.some(isCutOff)) report({ cause: 'exit', exitCode, running: current()?.id });
      else endQuietly();
    } catch {
      // Whatever it is, the process is ending, and must end as it would.
      return;
    }
  };
}

/** A task that will not end, or somebody's request, to which no answer will come. Event streams and upgraded connections are cut off by every exit. */
function isCutOff(record: RequestRecord | undefined): boolean {
  return record?.subject !== undefined && record.isAwaited && !record.subject.isOpenEnded();
}

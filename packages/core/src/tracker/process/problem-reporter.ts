import { writeSync } from 'node:fs';
import { types } from 'node:util';
import type { HangwatchError } from '../../errors.ts';
import { messageOf } from '../../message-of.ts';

/**
 * Where hangwatch's own failures go: to the application's `onInternalError`, else to stderr, each code once. It uses the file
 * descriptor and not `console`: the application may have patched that, or be stuck in it.
 */
export class ProblemReporter {
  readonly #callback: ((error: HangwatchError) => void) | undefined;
  readonly #said = new Set<string>();
  readonly #counts = new Map<string, number>();

  constructor(callback: ((error: HangwatchError) => void) | undefined) {
    this.#callback = callback;
  }

  /** How often each code occurred. */
  get counts(): ReadonlyMap<string, number> {
    return this.#counts;
  }

  report(error: HangwatchError): void {
    this.#counts.set(error.code, (this.#counts.get(error.code) ?? 0) + 1);
    if (this.#callback !== undefined) {
      try {
        const result: unknown = this.#callback(error);
        if (types.isPromise(result)) result.then(undefined, (failure: unknown) => this.#callbackFailed(failure));
        return;
      } catch (failure) {
        this.#callbackFailed(failure);
      }
    }
    this.#say(error.code, error.message);
  }

  #callbackFailed(failure: unknown): void {
    this.#say('HANGWATCH_ERR_CALLBACK', `onInternalError failed: ${messageOf(failure)}`);
  }

  #say(code: string, message: string): void {
    if (this.#said.has(code)) return;
    this.#said.add(code);
    try {
      writeSync(2, `hangwatch: ${message} (${code})\n`);
    } catch {
      // stderr is closed or full: there is nowhere left to say it. It stays counted.
      this.#said.delete(code);
    }
  }
}

import { type ChildProcessWithoutNullStreams, spawn } from 'node:child_process';
import { mkdtempSync } from 'node:fs';
import { rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

/** How to run a scenario. */
export interface ScenarioOptions {
  /** @default the Node that runs the tests */
  readonly node?: string | undefined;
  readonly execArgv?: readonly string[] | undefined;
  readonly args?: readonly string[] | undefined;
  /**
   * Added to a clean environment: nothing of the test runner's or of hangwatch's is inherited, and the folder for temporary files, where
   * hangwatch keeps what it could not deliver, is its own.
   */
  readonly env?: Readonly<Record<string, string>> | undefined;
  /** @default the working folder of the tests */
  readonly cwd?: string | undefined;
  /** After this many milliseconds the process is killed. @default 60_000 */
  readonly timeoutMs?: number | undefined;
}

/** How it ended. */
export interface ScenarioResult {
  readonly stdout: string;
  readonly stderr: string;
  readonly code: number | null;
  readonly signal: NodeJS.Signals | null;
  readonly timedOut: boolean;
}

/** A scenario that runs: a process of its own, whose output is collected. */
export class Scenario {
  readonly child: ChildProcessWithoutNullStreams;
  readonly ended: Promise<ScenarioResult>;
  #stdout = '';
  #stderr = '';
  #waiting: (() => void)[] = [];

  constructor(file: string, options: ScenarioOptions = {}) {
    const args = [...(options.execArgv ?? []), file, ...(options.args ?? [])];
    const temporary = mkdtempSync(join(tmpdir(), 'hangwatch-scenario-'));
    this.child = spawn(options.node ?? process.execPath, args, {
      env: cleanEnvironment({ TMPDIR: temporary, TEMP: temporary, ...options.env }),
      cwd: options.cwd,
    });
    this.child.stdout.setEncoding('utf8').on('data', (text: string) => {
      this.#stdout += text;
      for (const wake of this.#waiting.splice(0)) wake();
    });
    this.child.stderr.setEncoding('utf8').on('data', (text: string) => {
      this.#stderr += text;
      for (const wake of this.#waiting.splice(0)) wake();
    });
    this.child.stdin.on('error', () => undefined);
    let timedOut = false;
    const timer = setTimeout(() => {
      timedOut = true;
      this.child.kill('SIGKILL');
    }, options.timeoutMs ?? 60_000);
    this.ended = new Promise((resolve, reject) => {
      this.child.once('error', reject);
      this.child.once('close', (code, signal) => {
        clearTimeout(timer);
        for (const wake of this.#waiting.splice(0)) wake();
        resolve({ stdout: this.#stdout, stderr: this.#stderr, code, signal, timedOut });
        // A helper process of one that was killed may write into it for a little while yet: what is left then is the system's to delete.
        rm(temporary, { recursive: true, force: true, maxRetries: 20, retryDelay: 100 }).catch(() => undefined);
      });
    });
  }

  get stdout(): string {
    return this.#stdout;
  }

  get stderr(): string {
    return this.#stderr;
  }

  /** Waits until the output so far satisfies `find`, and returns what it found. Fails when the process ends first. */
  async until<T>(find: (output: { stdout: string; stderr: string }) => T | undefined): Promise<T> {
    for (;;) {
      const found = find({ stdout: this.#stdout, stderr: this.#stderr });
      if (found !== undefined) return found;
      if (this.child.exitCode !== null || this.child.signalCode !== null) {
        throw new Error(`the scenario ended first\nstdout: ${this.#stdout}\nstderr: ${this.#stderr}`);
      }
      await new Promise<void>((resolve) => this.#waiting.push(resolve));
    }
  }

  /** Kills it, if it still runs, and waits for its end. */
  async stop(signal: NodeJS.Signals = 'SIGKILL'): Promise<ScenarioResult> {
    this.child.kill(signal);
    return this.ended;
  }
}

/** Runs a script to its end. */
export function runScenario(file: string, options?: ScenarioOptions): Promise<ScenarioResult> {
  return new Scenario(file, options).ended;
}

function cleanEnvironment(added: Readonly<Record<string, string>> = {}): Record<string, string> {
  const kept = Object.entries(process.env).filter(
    (entry): entry is [string, string] =>
      entry[1] !== undefined &&
      !/^(VITEST|JEST|HANGWATCH|NODE_ENV|NODE_OPTIONS|npm_|NODE_CHANNEL|TEST$|MODE$|DEV$|PROD$)/.test(entry[0]),
  );
  return { ...Object.fromEntries(kept), ...added };
}

import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { writeFileSync } from 'node:fs';
import { get } from 'node:http';
import { join } from 'node:path';
import type { Readable, Writable } from 'node:stream';
import { fileURLToPath } from 'node:url';

const SCENARIO = fileURLToPath(new URL('../scenarios/chaos/stuck.mjs', import.meta.url));

/** How to start a {@link StuckProcess}. */
export interface StuckOptions {
  readonly node: string;
  readonly trouble: string;
  /** hangwatch's options, or `off`: without it. */
  readonly options: Readonly<Record<string, unknown>> | 'off';
  /** Its temporary folder. */
  readonly folder: string;
  readonly execArgv?: readonly string[];
  readonly env?: Readonly<Record<string, string>>;
  /** Whether what it writes is read. @default true */
  readonly read?: boolean;
}

/** A server in trouble, in a process of its own. */
export class StuckProcess {
  stderr = '';
  readonly child: ChildProcess;
  readonly #ended: Promise<unknown>;
  readonly #waiting = new Set<() => void>();
  readonly #folder: string;
  #port = 0;

  private constructor({ node, trouble, options, folder, execArgv = [], env: added = {}, read = true }: StuckOptions) {
    this.#folder = folder;
    const env = Object.fromEntries(
      Object.entries(process.env).filter(([name]) => !/^(VITEST|HANGWATCH|NODE_ENV|NODE_OPTIONS)/.test(name)),
    );
    const said = options === 'off' ? 'off' : JSON.stringify({ timeout: 400, scanInterval: 40, ...options });
    this.child = spawn(node, [...execArgv, SCENARIO, trouble, said], {
      // What it leaves behind is removed with the test's own folder: it is not given the time to clean up.
      env: { ...env, ...added, TMPDIR: folder },
      stdio: ['pipe', 'pipe', 'pipe', 'pipe'],
    });
    this.#ended = once(this.child, 'exit');
    if (!read) return;
    this.child.stdout?.resume();
    this.child.stderr?.setEncoding('utf8').on('data', (text: string) => {
      this.stderr += text;
      for (const wake of this.#waiting) wake();
    });
  }

  /** Resolves when it serves. */
  static async start(options: StuckOptions): Promise<StuckProcess> {
    const started = new StuckProcess(options);
    const said = started.child.stdio[3] as Readable;
    const [line] = (await Promise.race([once(said, 'data'), started.#ended.then(() => [''])])) as [Buffer | string];
    if (String(line) === '') throw new Error(`${options.trouble}: it ended at once\n${started.stderr}`);
    started.#port = Number(line);
    return started;
  }

  /** A request that nobody answers. */
  hang(): void {
    this.#send('/hang');
  }

  /** One that is answered: with the first of all, the watchdog starts. */
  serve(): void {
    this.#send('/ok');
  }

  #send(path: string): void {
    get({ host: '127.0.0.1', port: this.#port, path, agent: false }).on('error', () => undefined);
  }

  /** Waits until stderr holds the text. */
  async says(text: string): Promise<void> {
    while (!this.stderr.includes(text)) {
      await new Promise<void>((resolve) => {
        const wake = () => {
          this.#waiting.delete(wake);
          resolve();
        };
        this.#waiting.add(wake);
      });
    }
  }

  /** Has it call process.exit(7). Milliseconds until it has ended, or `undefined`: not within the limit. */
  async exit(limitMs: number): Promise<{ tookMs: number; code: number | null } | undefined> {
    const beganMs = performance.now();
    (this.child.stdin as Writable).write('exit\n');
    writeFileSync(join(this.#folder, `exit-${this.child.pid}`), '');
    const limit = new AbortController();
    const ended = await Promise.race([
      this.#ended.then(() => true),
      new Promise<false>((resolve) => {
        const timer = setTimeout(() => resolve(false), limitMs);
        limit.signal.addEventListener('abort', () => clearTimeout(timer));
      }),
    ]);
    limit.abort();
    return ended ? { tookMs: performance.now() - beganMs, code: this.child.exitCode } : undefined;
  }

  async kill(): Promise<void> {
    this.child.kill('SIGKILL');
    await this.#ended;
  }
}

import { type ChildProcessByStdio, spawn } from 'node:child_process';
import type { Socket } from 'node:net';
import { basename } from 'node:path';
import type { Readable, Writable } from 'node:stream';
import type { Clock, Timer } from './clock.ts';
import { readJsonLines, writeJsonLine } from './json-lines.ts';
import { performTask } from './serve-spool.ts';
import type { PutResult, SpoolSettings } from './spool.ts';
import { SpoolError } from './spool-error.ts';
import type { SpoolPort } from './spool-port.ts';
import type { SentClaimResult, SpoolAnswer, SpoolRequest, SpoolResult, SpoolTask } from './spool-protocol.ts';

/** How long the disk may take for one request before it counts as hanging. */
const ANSWER_MS = 5_000;
/** How long a hanging disk is left alone before it is tried again. */
const STALLED_MS = 60_000;
/** How long the process stays after its last request. */
const IDLE_MS = 5_000;

type Child = ChildProcessByStdio<Writable, Readable, null>;

interface Waiting {
  readonly request: SpoolRequest;
  readonly timer: Timer;
  resolve(result: SpoolResult): void;
  reject(error: SpoolError): void;
}

/** What {@link spoolInProcess} needs. */
export interface SpoolInProcessOptions {
  /** The built spool-process file. */
  readonly file: string;
  readonly settings: SpoolSettings;
  readonly clock: Clock;
  /** Takes over for good where no process can be started. */
  readonly fallback: SpoolPort;
}

/**
 * Whether `process.execPath` can be trusted to be Node itself: started with a script, a single-executable application
 * would start itself anew instead.
 */
export function canStartNode(execPath: string = process.execPath): boolean {
  return /^node(js)?(-?\d+)?(\.exe)?$/i.test(basename(execPath));
}

/**
 * The spool in a process of its own, started when there is something to do and ended five seconds after. For a thread that
 * waits for a hanging disk can't be stopped, and process.exit joins every thread (the pool's as well: measured on Node 20,
 * 22, 24 and 26); a process can be left behind. It costs 40 ms and, while it lives, 6 MiB of its own; starting it
 * stops the main thread for 5 ms, 25 ms in a process of 1.5 GB (fork copies page tables).
 */
export function spoolInProcess(options: SpoolInProcessOptions): SpoolPort {
  const keeper = new SpoolKeeper(options);
  return {
    put: (gzip, as) => keeper.ask({ type: 'put', gzip: gzip.toString('base64'), as }) as Promise<PutResult>,
    async claim() {
      const { claimed, ...rest } = (await keeper.ask({ type: 'claim' })) as SentClaimResult;
      return { ...rest, claimed: claimed && { ...claimed, gzip: Buffer.from(claimed.gzip, 'base64') } };
    },
    release: async (file) => void (await keeper.ask({ type: 'release', file })),
    discard: async (file) => void (await keeper.ask({ type: 'discard', file })),
    setAside: async (file, as) => void (await keeper.ask({ type: 'set-aside', file, as })),
    close: () => keeper.close(),
  };
}

class SpoolKeeper {
  readonly #options: SpoolInProcessOptions;
  readonly #waiting = new Map<number, Waiting>();
  #child: Child | undefined;
  #started = false;
  #useFallback = false;
  #stalledUntil = Number.NEGATIVE_INFINITY;
  #idle: Timer | undefined;
  #nextId = 1;
  #closed = false;

  constructor(options: SpoolInProcessOptions) {
    this.#options = options;
  }

  ask(task: SpoolTask): Promise<SpoolResult> {
    if (this.#useFallback) return this.#askFallback(task);
    const { clock } = this.#options;
    if (clock.now() < this.#stalledUntil) return Promise.reject(stalled());
    return new Promise((resolve, reject) => {
      const request = { ...task, id: this.#nextId++ };
      const timer = clock.setTimeout(() => this.#onStalled(), ANSWER_MS);
      this.#waiting.set(request.id, { request, timer, resolve, reject });
      clock.clearTimeout(this.#idle);
      const child = this.#child ?? this.#start();
      if (child) writeJsonLine(child.stdin, request);
    });
  }

  close(): void {
    this.#closed = true;
    this.#options.clock.clearTimeout(this.#idle);
    if (this.#waiting.size === 0) this.#letGo();
  }

  #start(): Child | undefined {
    const { file, settings } = this.#options;
    this.#started = false;
    try {
      const child = spawn(process.execPath, ['--max-old-space-size=64', file, JSON.stringify(settings)], {
        cwd: '/',
        env: plainEnvironment(),
        stdio: ['pipe', 'pipe', 'ignore'],
        // Out of the terminal's process group: Ctrl-C is for the application.
        detached: process.platform !== 'win32',
        windowsHide: true,
      });
      readJsonLines<SpoolAnswer>(child.stdout, (answer) => this.#onAnswer(child, answer));
      child.on('error', () => this.#onEnd(child));
      // Not 'exit': what it said last is read before this.
      child.on('close', () => this.#onEnd(child));
      // The failure of a write shows as the child's end.
      child.stdin.on('error', () => undefined);
      child.unref();
      for (const pipe of [child.stdin, child.stdout]) (pipe as Socket).unref();
      this.#child = child;
      return child;
    } catch {
      // Not allowed here (--permission, a seccomp filter, no process left): that is what the fallback is for.
      this.#fallBack();
      return undefined;
    }
  }

  #onAnswer(child: Child, answer: SpoolAnswer): void {
    if (child !== this.#child) return;
    if (answer.type === 'ready') {
      this.#started = true;
      return;
    }
    const waiting = this.#waiting.get(answer.id);
    if (!waiting) return;
    this.#waiting.delete(answer.id);
    this.#options.clock.clearTimeout(waiting.timer);
    if (answer.type === 'done') waiting.resolve(answer.result);
    else waiting.reject(new SpoolError(answer.code, answer.message));
    if (this.#waiting.size === 0) this.#rest();
  }

  #rest(): void {
    if (this.#closed) this.#letGo();
    else this.#idle = this.#options.clock.setTimeout(() => this.#letGo(), IDLE_MS);
  }

  #letGo(): void {
    const child = this.#child;
    this.#child = undefined;
    child?.stdin.end();
  }

  #onEnd(child: Child): void {
    if (child !== this.#child) return;
    this.#child = undefined;
    // Ended before its first word: it cannot run here, and will not the next time.
    if (!this.#started) this.#fallBack();
    else this.#rejectAll(new SpoolError('spool-failed', 'the spool process ended unexpectedly'));
  }

  #onStalled(): void {
    const child = this.#child;
    this.#child = undefined;
    this.#stalledUntil = this.#options.clock.now() + STALLED_MS;
    // Killed at once, or when the disk lets go of it; not waited for.
    child?.kill('SIGKILL');
    this.#rejectAll(stalled());
  }

  #rejectAll(error: SpoolError): void {
    const all = [...this.#waiting.values()];
    this.#waiting.clear();
    for (const { timer, reject } of all) {
      this.#options.clock.clearTimeout(timer);
      reject(error);
    }
  }

  #fallBack(): void {
    this.#useFallback = true;
    const all = [...this.#waiting.values()];
    this.#waiting.clear();
    for (const { request, timer, resolve, reject } of all) {
      this.#options.clock.clearTimeout(timer);
      this.#askFallback(request).then(resolve, reject);
    }
  }

  #askFallback(task: SpoolTask): Promise<SpoolResult> {
    return performTask(this.#options.fallback, task);
  }
}

function stalled(): SpoolError {
  return new SpoolError('spool-stalled', `the disk of the spool folder has not answered in ${ANSWER_MS / 1_000} s`);
}

/** What Node needs to start and to find the temporary folder; no option, debugger port or secret of the application. */
function plainEnvironment(): NodeJS.ProcessEnv {
  const kept = /^(PATH|TMPDIR|TMP|TEMP|SystemRoot|windir|(LD|DYLD)_.*)$/i;
  return {
    ...Object.fromEntries(Object.entries(process.env).filter(([name]) => kept.test(name))),
    ELECTRON_RUN_AS_NODE: '1',
  };
}

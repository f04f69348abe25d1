import { type ChildProcessByStdio, spawn } from 'node:child_process';
import type { Socket } from 'node:net';
import { basename } from 'node:path';
import type { Readable, Writable } from 'node:stream';
import type { Clock, Timer } from './clock.ts';
import { readJsonLines, writeJsonLine } from './json-lines.ts';

/** How long the process stays after its last answer. */
const IDLE_MS = 5_000;

type Child = ChildProcessByStdio<Writable, Readable, null>;

interface Waiting<Answer> {
  readonly timer: Timer;
  resolve(answer: Answer): void;
  reject(failure: HelperFailure): void;
}

/** What {@link HelperProcess} needs. */
export interface HelperProcessOptions {
  /** The built file that the process runs. It says `{"type":"ready"}` first, then answers each line of JSON with one. */
  readonly file: string;
  readonly args: readonly string[];
  readonly heapMb: number;
  /** How long one answer may take before the process counts as hanging, and is killed. */
  readonly answerMs: number;
  readonly clock: Clock;
}

/** Why there is no answer: no such process can be started here, it did not answer in time (or the one before is not gone yet), or it ended. */
export class HelperFailure extends Error {
  override readonly name = 'HelperFailure';
  readonly kind: 'unavailable' | 'stalled' | 'ended';

  constructor(kind: HelperFailure['kind']) {
    super(`the helper process is ${kind}`);
    this.kind = kind;
  }
}

/**
 * Whether `process.execPath` can be trusted to be Node itself: started with a script, a single-executable application
 * would start itself anew instead.
 */
export function canStartNode(execPath: string = process.execPath): boolean {
  return /^node(js)?(-?\d+)?(\.exe)?$/i.test(basename(execPath));
}

/**
 * A process that does what a thread must not: started when there is something to ask, ended five seconds after. For a thread that
 * waits for a hanging disk can't be stopped, and process.exit joins every thread (the pool's as well: measured on Node 20,
 * 22, 24 and 26); a process can be left behind. It costs 40 ms and, while it lives, 6 MiB of its own; starting it
 * stops the main thread for 5 ms, 25 ms in a process of 1.5 GB (fork copies page tables).
 */
export class HelperProcess<Task extends object, Answer extends { readonly id: number }> {
  readonly #options: HelperProcessOptions;
  readonly #waiting = new Map<number, Waiting<Answer>>();
  /** Of {@link #waiting}, what waits for the end of the process before. */
  readonly #unsent = new Map<number, Task>();
  #child: Child | undefined;
  /** Killed, and not gone yet: what waits for a hanging disk cannot be killed. */
  #killed: Child | undefined;
  #started = false;
  #unavailable = false;
  #idle: Timer | undefined;
  #nextId = 1;
  #closed = false;
  #held = false;

  constructor(options: HelperProcessOptions) {
    this.#options = options;
  }

  /**
   * Asks the process, which is started if need be: once the one that was killed before is gone, or there would be one more for each try.
   *
   * @param last nothing is asked any more after it: so this one more is started all the same
   * @throws {HelperFailure} when there is no answer
   */
  ask(task: Task, last = false): Promise<Answer> {
    if (this.#unavailable) return Promise.reject(new HelperFailure('unavailable'));
    const { clock, answerMs } = this.#options;
    return new Promise((resolve, reject) => {
      const id = this.#nextId++;
      const timer = clock.setTimeout(() => this.#onStalled(), answerMs);
      this.#waiting.set(id, { timer, resolve, reject });
      clock.clearTimeout(this.#idle);
      this.#unsent.set(id, task);
      if (this.#killed === undefined || last) this.#send();
    });
  }

  /** Whether it is known that no such process can be started here. */
  get unavailable(): boolean {
    return this.#unavailable;
  }

  /** While it is held, the process stays, however long it has nothing to do. Told before a task is asked. */
  hold(held: boolean): void {
    this.#held = held;
  }

  /** Lets go of the process; what has been asked is still done. */
  close(): void {
    this.#closed = true;
    this.#options.clock.clearTimeout(this.#idle);
    if (this.#waiting.size === 0) this.#letGo();
  }

  #send(): void {
    const child = this.#child ?? this.#start();
    if (child) for (const [id, task] of this.#unsent) writeJsonLine(child.stdin, { ...task, id });
    this.#unsent.clear();
  }

  #start(): Child | undefined {
    const { file, args, heapMb } = this.#options;
    this.#started = false;
    try {
      const child = spawn(process.execPath, [`--max-old-space-size=${heapMb}`, file, ...args], {
        cwd: '/',
        env: plainEnvironment(),
        stdio: ['pipe', 'pipe', 'ignore'],
        // Out of the terminal's process group: Ctrl-C is for the application.
        detached: process.platform !== 'win32',
        windowsHide: true,
      });
      readJsonLines<{ type: 'ready' } | Answer>(child.stdout, (answer) => this.#onAnswer(child, answer));
      child.on('error', () => this.#onEnd(child));
      // Not 'exit': what it said last is read before this.
      child.on('close', () => {
        this.#onEnd(child);
        if (child !== this.#killed) return;
        this.#killed = undefined;
        if (this.#unsent.size > 0) this.#send();
      });
      // The failure of a write shows as the child's end.
      child.stdin.on('error', () => undefined);
      child.unref();
      for (const pipe of [child.stdin, child.stdout]) (pipe as Socket).unref();
      this.#child = child;
      return child;
    } catch {
      // Not allowed here (--permission, a seccomp filter, no process left): whoever asks is told.
      this.#unavailable = true;
      this.#forget('unavailable');
      return undefined;
    }
  }

  #onAnswer(child: Child, answer: { type: 'ready' } | Answer): void {
    if (child !== this.#child) return;
    if (!('id' in answer)) {
      this.#started = true;
      return;
    }
    const waiting = this.#waiting.get(answer.id);
    if (!waiting) return;
    this.#waiting.delete(answer.id);
    this.#options.clock.clearTimeout(waiting.timer);
    waiting.resolve(answer);
    if (this.#waiting.size === 0) this.#rest();
  }

  #rest(): void {
    if (this.#closed) this.#letGo();
    else if (!this.#held) this.#idle = this.#options.clock.setTimeout(() => this.#letGo(), IDLE_MS);
  }

  #letGo(): void {
    const child = this.#child;
    this.#child = undefined;
    child?.stdin.end();
  }

  #onEnd(child: Child): void {
    if (child !== this.#child) return;
    // Ended before its first word: it cannot run here, and will not the next time.
    if (!this.#started) this.#unavailable = true;
    this.#forget(this.#started ? 'ended' : 'unavailable');
  }

  #onStalled(): void {
    // Killed at once, or when what it hangs in lets go of it; not waited for.
    const child = this.#forget('stalled');
    child?.kill('SIGKILL');
    this.#killed = child ?? this.#killed;
  }

  /** Turns away whoever waits. Returns the process, which is nobody's any more. */
  #forget(kind: HelperFailure['kind']): Child | undefined {
    const child = this.#child;
    this.#child = undefined;
    this.#options.clock.clearTimeout(this.#idle);
    const all = [...this.#waiting.values()];
    this.#waiting.clear();
    this.#unsent.clear();
    for (const { timer, reject } of all) {
      this.#options.clock.clearTimeout(timer);
      reject(new HelperFailure(kind));
    }
    return child;
  }
}

/** What Node needs to start and to find the temporary folder; no option, debugger port or secret of the application. */
function plainEnvironment(): NodeJS.ProcessEnv {
  const kept = /^(PATH|TMPDIR|TMP|TEMP|SystemRoot|windir|(LD|DYLD)_.*)$/i;
  return {
    ...Object.fromEntries(Object.entries(process.env).filter(([name]) => kept.test(name))),
    ELECTRON_RUN_AS_NODE: '1',
  };
}

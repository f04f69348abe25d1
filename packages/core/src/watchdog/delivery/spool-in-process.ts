import type { Clock, Timer } from './clock.ts';
import { HelperFailure, HelperProcess } from './helper-process.ts';
import { performTask } from './serve-spool.ts';
import type { PutResult, SpoolSettings } from './spool.ts';
import { SpoolError } from './spool-error.ts';
import type { SpoolPort } from './spool-port.ts';
import type { SentClaimResult, SpoolEnd, SpoolProcessArguments, SpoolResult, SpoolTask } from './spool-protocol.ts';

/** How long the disk may take for one request before it counts as hanging. */
const ANSWER_MS = 5_000;
/** How long a hanging disk is left alone before it is tried again. */
const STALLED_MS = 60_000;
const HEAP_MB = 64;

/** What {@link spoolInProcess} needs. */
export interface SpoolInProcessOptions {
  /** The built spool-process file. */
  readonly file: string;
  readonly settings: SpoolSettings;
  readonly clock: Clock;
  /** Takes over for good where no process can be started. */
  readonly fallback: SpoolPort;
}

/** The spool in a process of its own: a disk that hangs hangs nobody else. */
export function spoolInProcess(options: SpoolInProcessOptions): SpoolPort {
  const keeper = new SpoolKeeper(options);
  return {
    get inThread() {
      return keeper.fellBack;
    },
    put: (gzip, as) => keeper.ask({ type: 'put', gzip: gzip.toString('base64'), as }) as Promise<PutResult>,
    async claim(abandoned = []) {
      const { claimed, ...rest } = (await keeper.ask({ type: 'claim', abandoned })) as SentClaimResult;
      return { ...rest, claimed: claimed && { ...claimed, gzip: Buffer.from(claimed.gzip, 'base64') } };
    },
    release: async (file) => void (await keeper.ask({ type: 'release', file })),
    discard: async (file) => void (await keeper.ask({ type: 'discard', file })),
    setAside: async (file, as) => void (await keeper.ask({ type: 'set-aside', file, as })),
    keepRecord: async (gzip) => void (await keeper.ask({ type: 'keep-record', gzip: gzip.toString('base64') })),
    forgetRecord: async () => void (await keeper.ask({ type: 'forget-record' })),
    close: () => keeper.close(),
  };
}

class SpoolKeeper {
  readonly #fallback: SpoolPort;
  readonly #clock: Clock;
  readonly #process: HelperProcess<SpoolTask, SpoolEnd>;
  #stalledUntil = Number.NEGATIVE_INFINITY;
  /** A record is still to be forgotten: until that is done, it would be told of a process that has nothing to tell. */
  #owed: Timer | undefined;
  #closed = false;

  constructor({ file, settings, clock, fallback }: SpoolInProcessOptions) {
    this.#fallback = fallback;
    this.#clock = clock;
    const args = [JSON.stringify({ ...settings, parentPid: process.pid } satisfies SpoolProcessArguments)];
    this.#process = new HelperProcess({ file, args, heapMb: HEAP_MB, answerMs: ANSWER_MS, clock });
  }

  get fellBack(): boolean {
    return this.#process.unavailable;
  }

  async ask(task: SpoolTask): Promise<SpoolResult> {
    try {
      const result = await this.#attempt(task);
      // A record that is kept takes the place of whatever was to be forgotten.
      if (task.type === 'keep-record') this.#settle();
      return result;
    } catch (error) {
      if (task.type === 'forget-record') this.#owe();
      throw error;
    }
  }

  async #attempt(task: SpoolTask): Promise<SpoolResult> {
    if (this.#clock.now() < this.#stalledUntil) throw stalled();
    // Its end would mean that of this process.
    if (task.type === 'keep-record' || task.type === 'forget-record') this.#process.hold(task.type === 'keep-record');
    try {
      const answer = await this.#process.ask(task);
      if (answer.type === 'done') return answer.result;
      throw new SpoolError(answer.code, answer.message);
    } catch (error) {
      if (!(error instanceof HelperFailure)) throw error;
      if (error.kind === 'unavailable') return performTask(this.#fallback, task);
      if (error.kind === 'ended') throw new SpoolError('spool-failed', 'the spool process ended unexpectedly');
      this.#stalledUntil = this.#clock.now() + STALLED_MS;
      throw stalled();
    }
  }

  close(): void {
    this.#closed = true;
    if (this.#settle()) this.#forgetLast();
    this.#process.close();
  }

  /** Not waited for, and not killed when this process is gone: it is done when the disk answers again. */
  #forgetLast(): void {
    this.#process.ask({ type: 'forget-record' }, true).catch(() => undefined);
  }

  #owe(): void {
    if (this.#closed) {
      this.#forgetLast();
      return;
    }
    this.#owed ??= this.#clock.setTimeout(() => {
      this.#owed = undefined;
      // If it fails again it is owed again, and the failure has been told.
      this.ask({ type: 'forget-record' }).catch(() => undefined);
    }, STALLED_MS);
  }

  /** Whether anything was owed. */
  #settle(): boolean {
    const owed = this.#owed;
    this.#owed = undefined;
    this.#clock.clearTimeout(owed);
    return owed !== undefined;
  }
}

function stalled(): SpoolError {
  return new SpoolError('spool-stalled', `the disk of the spool folder has not answered in ${ANSWER_MS / 1_000} s`);
}

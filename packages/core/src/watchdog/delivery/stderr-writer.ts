import type { Clock, Timer } from './clock.ts';
import type { WriteSome } from './stderr-target.ts';

// POSIX writes up to this much to a pipe in one piece: lines of other writers don't end up in the middle.
const CHUNK_BYTES = 4_096;
const MAX_PENDING_BYTES = 1024 * 1024;
const MAX_ROUND_CHUNKS = 64;
const RETRY_MS = 20;
const MAX_RETRY_MS = 200;

/** What a {@link StderrWriter} needs. */
export interface StderrWriterOptions {
  readonly clock: Clock;
  /** Opens the target at the first report; undefined if there is none that never waits. */
  readonly open: () => WriteSome | undefined;
  /** How long one report may wait for its reader, in milliseconds. @default 2000 */
  readonly patienceMs?: number;
}

interface Report {
  readonly bytes: Buffer;
  offset: number;
  deadline: number | undefined;
  done(written: boolean): void;
}

/**
 * Writes reports to stderr, in order, without ever waiting for who reads it: what does not fit is tried again from a timer
 * for a bounded time, then given up, and the next report that does fit says how many were lost.
 */
export class StderrWriter {
  readonly #options: StderrWriterOptions;
  readonly #reports: Report[] = [];
  #target: WriteSome | undefined;
  #opened = false;
  #pendingBytes = 0;
  #unsaid = 0;
  #retryMs = RETRY_MS;
  #timer: Timer | undefined;
  #writing = false;

  constructor(options: StderrWriterOptions) {
    this.#options = options;
  }

  /** Resolves to true when all of the text is written, to false when it was given up, wholly or in part. Never rejects. */
  write(text: string): Promise<boolean> {
    return new Promise((resolve) => {
      const bytes = Buffer.from(text.endsWith('\n') ? text : `${text}\n`);
      if (this.#pendingBytes + bytes.length > MAX_PENDING_BYTES && this.#reports.length > 0) {
        this.#unsaid += 1;
        resolve(false);
        return;
      }
      this.#pendingBytes += bytes.length;
      this.#reports.push({ bytes, offset: 0, deadline: undefined, done: resolve });
      if (this.#timer === undefined) this.#pump();
    });
  }

  /** One last try, and gives up what is left. */
  close(): void {
    this.#options.clock.clearTimeout(this.#timer);
    this.#timer = undefined;
    this.#pump();
    this.#options.clock.clearTimeout(this.#timer);
    while (this.#reports.length > 0) this.#finish(false);
  }

  #pump(): void {
    this.#timer = undefined;
    if (this.#writing) return;
    this.#writing = true;
    for (let chunks = 0; this.#reports.length > 0; chunks += 1) {
      // Scans and posts are waiting for this thread, too.
      if (chunks === MAX_ROUND_CHUNKS || this.#writeChunk() === 'later') {
        this.#timer = this.#options.clock.setTimeout(
          () => this.#pump(),
          chunks === MAX_ROUND_CHUNKS ? 0 : this.#retryMs,
        );
        break;
      }
    }
    this.#writing = false;
  }

  #writeChunk(): 'went on' | 'later' {
    const report = this.#reports[0];
    if (!report) return 'went on';
    const { clock, patienceMs = 2_000 } = this.#options;
    report.deadline ??= clock.now() + patienceMs;
    const target = this.#open();
    if (!target) return this.#finish(false);
    try {
      if (this.#unsaid > 0 && report.offset === 0) {
        const notice = Buffer.from(`hangwatch: ${this.#unsaid} earlier reports were lost: nobody read stderr\n`);
        if (target(notice) > 0) this.#unsaid = 0;
      }
      report.offset += target(report.bytes.subarray(report.offset, report.offset + CHUNK_BYTES));
      this.#retryMs = RETRY_MS;
      return report.offset < report.bytes.length ? 'went on' : this.#finish(true);
    } catch (error) {
      const isFull = (error as NodeJS.ErrnoException).code === 'EAGAIN';
      // EPIPE, EBADF, ENOSPC and the like: waiting does not help.
      if (!isFull || clock.now() >= report.deadline) return this.#finish(false);
      this.#retryMs = Math.min(MAX_RETRY_MS, this.#retryMs * 2);
      return 'later';
    }
  }

  #open(): WriteSome | undefined {
    if (!this.#opened) {
      this.#opened = true;
      this.#target = this.#options.open();
    }
    return this.#target;
  }

  #finish(written: boolean): 'went on' {
    const report = this.#reports.shift();
    if (report) {
      this.#pendingBytes -= report.bytes.length;
      if (!written) this.#unsaid += 1;
      report.done(written);
    }
    return 'went on';
  }
}

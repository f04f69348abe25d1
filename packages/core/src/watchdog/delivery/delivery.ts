import type { Dump } from '@hangwatch/protocol';
import type { PostedNow } from '../../shared/worker-protocol.ts';
import type { Clock } from './clock.ts';
import { systemClock } from './clock.ts';
import { CollectorDelivery } from './collector-delivery.ts';
import { type CollectorUrl, parseCollectorUrl } from './collector-url.ts';
import { type DeliveryCounters, newCounters } from './counters.ts';
import { DumpPrinter } from './dump-printer.ts';
import { type DeliveryProblem, Problems } from './problems.ts';
import { StderrDelivery } from './stderr-delivery.ts';
import { openStderr } from './stderr-target.ts';
import { StderrWriter } from './stderr-writer.ts';

/** Options of {@link createDelivery}. */
export interface DeliveryOptions {
  /**
   * Base URLs; dumps are posted to `<base>/v1/dumps`. Several: the first that acknowledges a dump is enough, the others are
   * fallbacks, in this order. Empty: a readable report to stderr.
   */
  readonly collectors: readonly string[];
  /** Sent to every collector as `Authorization: Bearer`. */
  readonly token: string | undefined;
  /** Folder for dumps that no collector takes now. @default `hangwatch-spool-<uid>` in the system's temporary folder */
  readonly spoolDir: string | undefined;
  /** Unique to this start of this process. */
  readonly instance: string;
  readonly userAgent: string;
  /** Most dumps in memory. @default 100 */
  readonly queueLimit?: number;
  /** Most compressed bytes in memory. @default 8 MiB */
  readonly queueBytes?: number;
  /** Most dumps in the spool. @default 500 */
  readonly spoolFiles?: number;
  /** Most bytes in the spool. @default 64 MiB */
  readonly spoolBytes?: number;
  /**
   * The built spool-process file: the spool's disk work is then done in a short-lived process, so that a disk that hangs
   * blocks neither this thread nor process.exit. @default undefined: in this thread
   */
  readonly spoolProcess?: string | undefined;
  /** @default the system's clock */
  readonly clock?: Clock;
  /** From 0 to 1, as Math.random. @default Math.random */
  readonly random?: () => number;
  /** Writes some of the bytes to stderr and returns how many; throws EAGAIN where none fit now. @default file descriptor 2, never waiting */
  readonly writeStderr?: (bytes: Buffer) => number;
  /** Hears of the delivery's own failures, of each kind once. */
  onProblem(problem: DeliveryProblem): void;
}

/** Brings dumps out of a process in which anything may be stuck. */
export interface Delivery {
  /** Takes a dump. Never throws, never waits. */
  send(dump: Dump): void;
  /** Posts a dump at once, whatever waits and whichever collector is being left alone, and keeps it nowhere. Never rejects. */
  postNow(dump: Dump): Promise<PostedNow>;
  /**
   * Keeps a dump on disk in case the process dies without a word, in place of the one before: whoever looks into the spool next posts it.
   * `undefined`: there is nothing to keep any more. Never throws, never waits; without a spool it does nothing.
   */
  keepRecord(dump: Dump | undefined): void;
  /** The process ends, and there is nothing to tell of that: resolves when its record is gone, or the disk hangs. Never rejects. */
  endQuietly(): Promise<void>;
  readonly counters: DeliveryCounters;
  /** Whether a disk that hangs would hang this thread: no process can be started that waits for it instead. */
  readonly mayHang: boolean;
  /** Delivers what can be delivered in `deadlineMs`, spools or prints the rest. Always resolves, at most a little later. */
  close(deadlineMs: number): Promise<void>;
}

/**
 * Creates the delivery of one watchdog: to the collector; where none answers, to the spool, from which it is replayed later,
 * also by a later start of the process; and to stderr as the last resort, or where no collector is configured.
 *
 * It uses no thread of libuv's pool (address look-ups go to the name servers directly, compression and files are synchronous),
 * no connection, agent or logger of the process, and no call that waits without bound.
 *
 * @example
 * const delivery = createDelivery({
 *   collectors: ['http://127.0.0.1:4747'], token: undefined, spoolDir: undefined,
 *   instance: crypto.randomUUID(), userAgent: 'hangwatch/0.1.0', onProblem: ({ message }) => log(message),
 * });
 * delivery.send(dump);
 * await delivery.close(1_000);
 */
export function createDelivery(options: DeliveryOptions): Delivery {
  const clock = options.clock ?? systemClock;
  const counters = newCounters();
  const problems = new Problems(options.onProblem);
  const { writeStderr } = options;
  const stderr = new StderrWriter({ clock, open: writeStderr ? () => writeStderr : openStderr });
  const printer = new DumpPrinter(stderr, counters, problems);
  const targets = options.collectors.flatMap((base) => readTarget(base, problems));
  if (targets.length === 0) return new StderrDelivery(printer, counters, clock);
  return new CollectorDelivery({
    ...options,
    clock,
    random: options.random ?? Math.random,
    targets,
    counters,
    problems,
    printer,
  });
}

/** One wrong URL must not cost the others their dumps. */
function readTarget(base: string, problems: Problems): CollectorUrl[] {
  try {
    return [parseCollectorUrl(base)];
  } catch (error) {
    problems.tell('collector-invalid', error instanceof Error ? error.message : String(error));
    return [];
  }
}

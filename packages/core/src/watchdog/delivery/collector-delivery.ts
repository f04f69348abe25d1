import type { Dump } from '@hangwatch/protocol';
import type { PostedNow } from '../../shared/worker-protocol.ts';
import { AddressBook } from './address-book.ts';
import { type Clock, TIMED_OUT, type Timer, within } from './clock.ts';
import { Collector } from './collector.ts';
import type { CollectorUrl } from './collector-url.ts';
import { Collectors, destinationOf, hostsOf, longestPostMs } from './collectors.ts';
import { CountedSpool } from './counted-spool.ts';
import type { DeliveryCounters, MutableCounters } from './counters.ts';
import type { Delivery, DeliveryOptions } from './delivery.ts';
import type { DumpPrinter } from './dump-printer.ts';
import { HttpPost } from './http-post.ts';
import { proxiesOf } from './load-undici.ts';
import { openSpool } from './open-spool.ts';
import { type Parcel, packDump, unpackDump } from './parcel.ts';
import { ParcelQueue } from './parcel-queue.ts';
import type { Problems } from './problems.ts';
import { RecordKeeper } from './record-keeper.ts';
import { SpoolReplay } from './spool-replay.ts';

/** A dump that is still only in memory after this long goes to disk as well: whoever kills a hung process does not wait. */
const IN_MEMORY_MS = 2_000;
/** The start of the application is not the time to load an HTTP client and to read folders. */
const START_MS = 1_000;
const LEAST_LEASE_MS = 300_000;
/** Shares of the closing deadline: for posting, then for spooling; stderr has the rest. */
const POSTING_SHARE = 0.6;
const SPOOLING_SHARE = 0.3;

/** What a {@link CollectorDelivery} needs. */
export interface CollectorDeliveryOptions extends DeliveryOptions {
  readonly targets: readonly CollectorUrl[];
  readonly counters: MutableCounters;
  readonly problems: Problems;
  readonly printer: DumpPrinter;
  readonly clock: Clock;
  readonly random: () => number;
}

/** One parcel on its way to a collector. */
interface Job {
  readonly parcel: Parcel;
  /** Its claimed file in the spool, once it has one. */
  file: string | undefined;
  readonly replayed: boolean;
  /** Being copied to the spool while the post goes on. */
  copying: Promise<void> | undefined;
}

/**
 * The order of delivery: collector, spool, stderr. One post at a time, new dumps first; while no collector may be tried,
 * everything goes to disk, and comes back from there.
 */
export class CollectorDelivery implements Delivery {
  readonly #clock: Clock;
  readonly #counters: MutableCounters;
  readonly #problems: Problems;
  readonly #printer: DumpPrinter;
  readonly #queue: ParcelQueue;
  readonly #collectors: Collectors;
  readonly #addresses: AddressBook;
  readonly #http: HttpPost;
  readonly #spool: CountedSpool;
  readonly #replay: SpoolReplay;
  readonly #record: RecordKeeper;
  readonly #timers: Record<'start' | 'wake' | 'inMemory', Timer | undefined>;
  #pumping: Promise<void> | undefined;
  /** A new dump does not wait for a look into the spool. */
  #interrupt: () => void = () => undefined;
  #state: 'open' | 'draining' | 'closing' = 'open';
  #closed: Promise<void> | undefined;

  constructor(options: CollectorDeliveryOptions) {
    const { clock, random, targets, counters, problems, printer } = options;
    this.#clock = clock;
    this.#counters = counters;
    this.#problems = problems;
    this.#printer = printer;
    this.#queue = new ParcelQueue(options.queueLimit ?? 100, options.queueBytes ?? 8 * 1024 * 1024, clock);
    const proxies = proxiesOf(process.env);
    this.#addresses = new AddressBook({ clock, random });
    for (const host of hostsOf(proxies, targets)) this.#addresses.watch(host);
    this.#http = new HttpPost({ clock, lookup: this.#addresses.lookup, proxied: proxies !== undefined });
    const shared = { http: this.#http, addresses: this.#addresses, problems, clock, random };
    const { token, userAgent } = options;
    this.#collectors = new Collectors(targets.map((target) => new Collector({ target, token, userAgent, ...shared })));
    const spool = openSpool(
      {
        spoolDir: options.spoolDir,
        destination: destinationOf(targets.map(({ label }) => label)),
        instance: options.instance,
        maxFiles: options.spoolFiles ?? 500,
        maxBytes: options.spoolBytes ?? 64 * 1024 * 1024,
        leaseMs: Math.max(LEAST_LEASE_MS, 4 * longestPostMs(targets.length)),
      },
      options.spoolProcess,
      clock,
    );
    this.#spool = new CountedSpool(spool, counters, problems);
    this.#record = new RecordKeeper(this.#spool, problems);
    this.#replay = new SpoolReplay(this.#spool, clock, START_MS * (1 + random()));
    this.#timers = { start: clock.setTimeout(() => this.#warmUp(), START_MS), wake: undefined, inMemory: undefined };
    this.#schedule();
  }

  get counters(): DeliveryCounters {
    return this.#counters;
  }

  get mayHang(): boolean {
    return this.#spool.inThread;
  }

  send(dump: Dump): void {
    this.#counters.sent += 1;
    if (this.#state === 'closing') {
      void this.#printer.print(dump);
      return;
    }
    let parcel: Parcel;
    try {
      parcel = packDump(dump);
    } catch (error) {
      this.#counters.dropped += 1;
      this.#problems.tell('dump-unpackable', `a dump cannot be turned into JSON: ${String(error)}`);
      return;
    }
    for (const displaced of this.#queue.push(parcel)) void this.#storeOrPrint(displaced);
    this.#interrupt();
    this.#timers.inMemory ??= this.#clock.setTimeout(() => this.#onLongInMemory(), IN_MEMORY_MS);
    void this.#pump();
  }

  async postNow(dump: Dump): Promise<PostedNow> {
    if (this.#state !== 'open') return { ok: false, reason: 'the delivery is being closed' };
    const { gzip } = packDump(dump);
    const outcome = await this.#collectors.postNow(gzip);
    if (outcome.ok) {
      this.#counters.sent += 1;
      this.#counters.acknowledged += 1;
      this.#counters.bytes += gzip.length;
      // A collector that was left alone answers again.
      this.#expectSpooled();
    }
    return outcome;
  }

  keepRecord(dump: Dump | undefined): void {
    this.#record.keep(dump);
  }

  async endQuietly(): Promise<void> {
    const forgotten = this.#record.forget();
    // What a disk that hangs has not done by now is done by a process that is left behind.
    this.#spool.close();
    await forgotten;
  }

  close(deadlineMs: number): Promise<void> {
    this.#closed ??= this.#close(Math.max(0, deadlineMs));
    return this.#closed;
  }

  #warmUp(): void {
    try {
      this.#http.warmUp();
    } catch (error) {
      this.#problems.tell('http-unavailable', `undici cannot be loaded, no dump can be posted: ${String(error)}`);
    }
  }

  /** Delivers until there is nothing to do now. One at a time. */
  #pump(): Promise<void> {
    this.#pumping ??= this.#deliverAll().finally(() => {
      this.#pumping = undefined;
      this.#schedule();
    });
    return this.#pumping;
  }

  async #deliverAll(): Promise<void> {
    while (this.#state !== 'closing') {
      if (this.#collectors.waitMs > 0) return this.#storeQueue();
      const job = await this.#next();
      if (!job) return;
      await this.#deliver(job);
    }
  }

  async #next(): Promise<Job | undefined> {
    const fresh = this.#fresh();
    if (fresh !== undefined || this.#state !== 'open') return fresh;
    const interrupted = new Promise<void>((resolve) => {
      this.#interrupt = resolve;
    });
    const replayed = await this.#replay.next(interrupted);
    return replayed ? { ...replayed, replayed: true, copying: undefined } : this.#fresh();
  }

  #fresh(): Job | undefined {
    const parcel = this.#queue.shift();
    return parcel && { parcel, file: undefined, replayed: false, copying: undefined };
  }

  async #deliver(job: Job): Promise<void> {
    const { gzip } = job.parcel;
    const copyTimer = job.file
      ? undefined
      : this.#clock.setTimeout(() => {
          job.copying = this.#copy(job);
        }, IN_MEMORY_MS);
    const outcome = await this.#collectors.post(gzip, () => this.#state === 'closing');
    this.#clock.clearTimeout(copyTimer);
    // Never left half-way: the copy must not come back as a second dump.
    await job.copying;
    switch (outcome.kind) {
      case 'acknowledged':
        this.#counters.acknowledged += 1;
        this.#counters.bytes += gzip.length;
        if (job.replayed) this.#counters.replayed += 1;
        else this.#replay.arrived();
        if (job.file) await this.#spool.discard(job.file);
        return;
      case 'rejected':
        this.#counters.rejected += 1;
        return this.#keepRejected(job);
      case 'unavailable':
        if (!job.file) return this.#storeOrKeep(job.parcel);
        await this.#spool.release(job.file);
        this.#expectSpooled();
    }
  }

  /** The post takes long: a copy on disk outlives the process. */
  async #copy(job: Job): Promise<void> {
    job.file = await this.#spool.put(job.parcel, 'claimed');
  }

  async #keepRejected({ parcel, file }: Job): Promise<void> {
    const kept = file ? await this.#spool.reject(file) : await this.#spool.put(parcel, 'rejected');
    if (!kept) void this.#printer.show(unpackDump(parcel.gzip));
  }

  #onLongInMemory(): void {
    this.#timers.inMemory = undefined;
    void this.#storeQueue();
  }

  /** Moves what waits in memory to the spool. Where that fails, it stays. */
  async #storeQueue(): Promise<void> {
    for (let parcel = this.#queue.shift(); parcel; parcel = this.#queue.shift()) {
      if (await this.#store(parcel)) continue;
      this.#keep(parcel);
      return;
    }
  }

  async #storeOrKeep(parcel: Parcel): Promise<void> {
    if (!(await this.#store(parcel))) this.#keep(parcel);
  }

  async #storeOrPrint(parcel: Parcel): Promise<void> {
    if (!(await this.#store(parcel))) this.#print(parcel);
  }

  #keep(parcel: Parcel): void {
    for (const displaced of this.#queue.putBack(parcel)) this.#print(displaced);
  }

  #print(parcel: Parcel): void {
    void this.#printer.print(unpackDump(parcel.gzip));
  }

  async #store(parcel: Parcel): Promise<boolean> {
    if ((await this.#spool.put(parcel, 'ready')) === undefined) return false;
    this.#expectSpooled();
    return true;
  }

  #expectSpooled(): void {
    this.#replay.expect(0);
    if (!this.#pumping) this.#schedule();
  }

  /** Wakes when the next delivery is due; no timer while there is nothing to deliver. */
  #schedule(): void {
    this.#clock.clearTimeout(this.#timers.wake);
    this.#timers.wake = undefined;
    if (this.#state !== 'open') return;
    const waitMs = Math.max(this.#collectors.waitMs, this.#queue.length > 0 ? 0 : this.#replay.dueInMs);
    if (waitMs < Number.POSITIVE_INFINITY) this.#timers.wake = this.#clock.setTimeout(() => void this.#pump(), waitMs);
  }

  async #close(deadlineMs: number): Promise<void> {
    this.#state = 'draining';
    this.#interrupt();
    if (this.#collectors.waitMs === 0) await within(this.#pump(), deadlineMs * POSTING_SHARE, this.#clock);
    this.#state = 'closing';
    for (const timer of Object.values(this.#timers)) this.#clock.clearTimeout(timer);
    // Ends the post under way as failed: its parcel goes to the spool as any other.
    this.#http.close();
    this.#addresses.close();
    const spooling = await within(this.#storeAll(), deadlineMs * SPOOLING_SHARE, this.#clock);
    // Perhaps on disk, perhaps not: rather told twice than never.
    const safe = spooling !== TIMED_OUT && this.#queue.length === 0;
    const unknown = spooling === TIMED_OUT ? this.#spool.storing : [];
    const printing: Promise<unknown>[] = unknown.map((parcel) => this.#printer.show(unpackDump(parcel.gzip)));
    for (let parcel = this.#queue.shift(); parcel; parcel = this.#queue.shift()) {
      printing.push(this.#printer.print(unpackDump(parcel.gzip)));
    }
    await within(Promise.all(printing), deadlineMs * (1 - POSTING_SHARE - SPOOLING_SHARE), this.#clock);
    this.#printer.close();
    // Last: until the process's end is told otherwise, the record would tell of it; and where no disk or collector has taken what was to tell, it does.
    if (safe) this.#record.keep(undefined);
    this.#spool.close();
  }

  /** All at once: with little time left, what is asked first of another process is done even if nobody waits for it. */
  async #storeAll(): Promise<void> {
    const parcels: Parcel[] = [];
    for (let parcel = this.#queue.shift(); parcel; parcel = this.#queue.shift()) parcels.push(parcel);
    await Promise.all([this.#pumping, this.#giveBack(), ...parcels.map((parcel) => this.#storeOrKeep(parcel))]);
  }

  async #giveBack(): Promise<void> {
    const file = await this.#replay.unasked();
    if (file !== undefined) await this.#spool.release(file);
  }
}

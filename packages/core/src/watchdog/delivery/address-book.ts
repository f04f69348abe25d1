import type { LookupFunction } from 'node:net';
import { BackOff, type BackOffLimits } from './back-off.ts';
import { type Clock, TIMED_OUT, type Timer, within } from './clock.ts';
import { type HostAddress, resolveHost, withoutLookup } from './resolve-host.ts';

const REFRESH_MS = 300_000;
const LIMIT_MS = 8_000;
const RETRY: BackOffLimits = { baseMs: 1_000, capMs: 60_000, floorMs: 500, askedCapMs: 60_000 };

interface Entry {
  readonly backOff: BackOff;
  addresses: HostAddress[] | undefined;
  error: Error | undefined;
  /** The refresh under way; it ends in bounded time. */
  pending: Promise<void> | undefined;
  /** Its look-up, which may outlive it; never a second one beside it: a stuck one must not take a second thread of the pool. */
  lookup: Promise<HostAddress[]> | undefined;
  timer: Timer | undefined;
}

/** What an {@link AddressBook} needs. */
export interface AddressBookOptions {
  readonly clock: Clock;
  readonly random: () => number;
  /** @default resolveHost */
  readonly resolve?: (host: string) => Promise<HostAddress[]>;
}

/**
 * Addresses of the few hosts the delivery talks to: resolved at start, refreshed every five minutes in the background, the
 * last good answer kept for as long as no better one comes. A connection never waits for a look-up whose answer is known.
 *
 * @example
 * const book = new AddressBook({ clock: systemClock, random: Math.random });
 * book.watch('collector.internal');
 * new Agent({ connect: { lookup: book.lookup } });
 */
export class AddressBook {
  readonly #clock: Clock;
  readonly #random: () => number;
  readonly #resolve: (host: string) => Promise<HostAddress[]>;
  readonly #entries = new Map<string, Entry>();
  #closed = false;

  constructor(options: AddressBookOptions) {
    this.#clock = options.clock;
    this.#random = options.random;
    this.#resolve = options.resolve ?? ((host) => resolveHost(host));
  }

  /** Starts to resolve a host and keeps its addresses fresh from then on. */
  watch(host: string): void {
    if (this.#closed || withoutLookup(host)) return;
    const entry = this.#entry(host);
    if (!entry.addresses && !entry.pending) void this.#refresh(host, entry);
  }

  /** A connection failed: the addresses may have changed. Asks anew in the background, at most as often as the back-off allows. */
  doubt(host: string): void {
    const entry = this.#entries.get(host);
    if (entry && !entry.pending && entry.backOff.waitMs === 0) void this.#refresh(host, entry);
  }

  /** For `connect.lookup` of undici, and `lookup` of net.connect: answers at once from the book; waits only for a first answer. */
  readonly lookup: LookupFunction = (host, options, callback) => {
    void this.#addresses(host).then(
      (all) => {
        const family = options.family === 'IPv4' ? 4 : options.family === 'IPv6' ? 6 : options.family;
        const fitting = family ? all.filter((each) => each.family === family) : all;
        const first = fitting[0];
        if (!first) callback(noAddress(host, 'no address of the family asked for'), '', 0);
        else if (options.all) callback(null, fitting);
        else callback(null, first.address, first.family);
      },
      (error: Error) => callback(error, '', 0),
    );
  };

  /** Stops refreshing. */
  close(): void {
    this.#closed = true;
    for (const entry of this.#entries.values()) this.#clock.clearTimeout(entry.timer);
  }

  async #addresses(host: string): Promise<HostAddress[]> {
    const known = withoutLookup(host);
    if (known) return known;
    const entry = this.#entry(host);
    if (entry.addresses) return entry.addresses;
    // Between two tries of the background the last error stands; the background will try again.
    if (!entry.pending && entry.backOff.waitMs > 0) throw entry.error ?? noAddress(host, 'not resolved');
    await (entry.pending ?? this.#refresh(host, entry));
    if (entry.addresses) return entry.addresses;
    throw entry.error ?? noAddress(host, 'not resolved');
  }

  #entry(host: string): Entry {
    let entry = this.#entries.get(host);
    if (!entry) {
      entry = {
        backOff: new BackOff(RETRY, this.#clock, this.#random),
        addresses: undefined,
        error: undefined,
        pending: undefined,
        lookup: undefined,
        timer: undefined,
      };
      this.#entries.set(host, entry);
    }
    return entry;
  }

  #refresh(host: string, entry: Entry): Promise<void> {
    this.#clock.clearTimeout(entry.timer);
    entry.lookup ??= this.#resolve(host)
      .then((addresses) => {
        // Also when nobody waits for it any more: late is better than old.
        if (addresses.length > 0) entry.addresses = addresses;
        return addresses;
      })
      .finally(() => {
        entry.lookup = undefined;
      });
    entry.pending = this.#settle(host, entry, entry.lookup).finally(() => {
      entry.pending = undefined;
      this.#schedule(host, entry);
    });
    return entry.pending;
  }

  async #settle(host: string, entry: Entry, lookup: Promise<HostAddress[]>): Promise<void> {
    try {
      const addresses = await within(lookup, LIMIT_MS, this.#clock);
      if (addresses === TIMED_OUT) throw noAddress(host, `no answer in ${LIMIT_MS} ms`);
      if (addresses.length === 0) throw noAddress(host, 'no addresses');
      entry.error = undefined;
      entry.backOff.succeeded();
    } catch (error) {
      entry.error = error instanceof Error ? error : noAddress(host, String(error));
      entry.backOff.failed();
    }
  }

  #schedule(host: string, entry: Entry): void {
    if (this.#closed) return;
    const waitMs = entry.backOff.waitMs || REFRESH_MS * (0.9 + 0.2 * this.#random());
    entry.timer = this.#clock.setTimeout(() => {
      if (!entry.pending) void this.#refresh(host, entry);
    }, waitMs);
  }
}

function noAddress(host: string, why: string): NodeJS.ErrnoException {
  return Object.assign(new Error(`cannot resolve ${host}: ${why}`), { code: 'ENOTFOUND', hostname: host });
}

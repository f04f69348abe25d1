import { promisify } from 'node:util';
import { describe, expect, it } from 'vitest';
import { AddressBook } from './address-book.ts';
import type { HostAddress } from './resolve-host.ts';
import { ManualClock, settle } from './testing/manual-clock.ts';

const FOUR: HostAddress = { address: '192.0.2.1', family: 4 };
const SIX: HostAddress = { address: '2001:db8::1', family: 6 };

/** A book whose look-ups a test answers one by one. */
function bookOf() {
  const clock = new ManualClock();
  const lookups: { host: string; resolve: (all: HostAddress[]) => void; reject: (error: Error) => void }[] = [];
  const book = new AddressBook({
    clock,
    random: () => 0.5,
    resolve: (host) => new Promise((resolve, reject) => lookups.push({ host, resolve, reject })),
  });
  const all = (host = 'collector') =>
    new Promise<HostAddress[]>((resolve, reject) => {
      book.lookup(host, { all: true }, (error, found) => (error ? reject(error) : resolve(found as HostAddress[])));
    });
  return { clock, lookups, book, all };
}

describe('AddressBook', () => {
  it('answers from the book at once, in both forms and by family', async () => {
    const { lookups, book, all } = bookOf();
    book.watch('collector');
    lookups[0]?.resolve([FOUR, SIX]);
    expect(await all()).toEqual([FOUR, SIX]);
    const one = promisify(book.lookup) as (host: string, options: { family?: number | 'IPv6' }) => Promise<string>;
    expect(await one('collector', {})).toBe('192.0.2.1');
    expect(await one('collector', { family: 6 })).toBe('2001:db8::1');
    expect(await one('collector', { family: 'IPv6' })).toBe('2001:db8::1');
    expect(lookups).toHaveLength(1);
  });

  it('looks nothing up for literal addresses and localhost', async () => {
    const { lookups, book, all } = bookOf();
    book.watch('127.0.0.1');
    book.watch('localhost');
    expect(await all('127.0.0.1')).toEqual([{ address: '127.0.0.1', family: 4 }]);
    expect(lookups).toHaveLength(0);
  });

  it('keeps the last good answer when refreshing fails or hangs, and never has two look-ups of a host', async () => {
    const { clock, lookups, book, all } = bookOf();
    book.watch('collector');
    lookups[0]?.resolve([FOUR]);
    await clock.advance(299_000);
    expect(lookups).toHaveLength(1);
    await clock.advance(2_000);
    expect(lookups).toHaveLength(2);
    expect(await all()).toEqual([FOUR]);
    // The second hangs: for an hour nothing is asked beside it.
    await clock.advance(3_600_000);
    expect(lookups).toHaveLength(2);
    expect(await all()).toEqual([FOUR]);
    lookups[1]?.reject(new Error('dead'));
    await clock.advance(61_000);
    lookups[2]?.resolve([SIX]);
    await settle();
    expect(await all()).toEqual([SIX]);
  });

  it('tries again in the background when the first look-up fails', async () => {
    const { clock, lookups, book, all } = bookOf();
    book.watch('collector');
    lookups[0]?.reject(Object.assign(new Error('no DNS'), { code: 'ETIMEOUT' }));
    await settle();
    await expect(all()).rejects.toMatchObject({ code: 'ETIMEOUT' });
    await clock.advance(1_000);
    lookups[1]?.resolve([FOUR]);
    expect(await all()).toEqual([FOUR]);
  });

  it('does not wait for ever for a first answer', async () => {
    const { clock, book, all } = bookOf();
    book.watch('collector');
    const failed = expect(all()).rejects.toThrow('cannot resolve collector: no answer in 8000 ms');
    await clock.advance(8_000);
    await failed;
  });

  it('asks anew when a connection has failed, and stops when closed', async () => {
    const { clock, lookups, book } = bookOf();
    book.watch('collector');
    lookups[0]?.resolve([FOUR]);
    await settle();
    book.doubt('collector');
    book.doubt('collector');
    expect(lookups).toHaveLength(2);
    lookups[1]?.resolve([SIX]);
    await settle();
    book.close();
    await clock.advance(3_600_000);
    expect(lookups).toHaveLength(2);
    expect(clock.pending).toBe(0);
  });
});

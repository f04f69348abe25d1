import { EventEmitter } from 'node:events';
import { Mutex, Semaphore, withTimeout } from 'async-mutex';
import genericPool from 'generic-pool';
import pLimit from 'p-limit';
import { describe, expect, test } from 'vitest';
import { instrument } from './instrument.ts';

// pg-pool has no types of its own.
const { default: PgPool } = (await import('pg-pool' as string)) as {
  default: new (
    options: object,
  ) => {
    connect(): Promise<{ release(): void }>;
    connect(done: (error: unknown, client: unknown, release: () => void) => void): void;
    readonly idleCount: number;
    readonly totalCount: number;
  };
};

const name = 'it';
const error = (message: string) => expect.objectContaining({ code: 'HANGWATCH_ERR_OPTION', message });

describe('what cannot be made known', () => {
  test.each([
    [
      {},
      'instrument(thing, { name: "it" }): not one of the things that are known (async-mutex, p-limit, generic-pool, pg-pool)',
    ],
    [
      () => 1,
      'instrument(thing, { name: "it" }): not one of the things that are known (async-mutex, p-limit, generic-pool, pg-pool)',
    ],
    [null, 'instrument(thing, { name: "it" }): null is no lock, pool or queue'],
    [
      withTimeout(new Mutex(), 10),
      'instrument(thing, { name: "it" }): what withTimeout or tryAcquire has made cannot be: give the Mutex or Semaphore itself, before it is handed to them',
    ],
  ])('is refused: %#', (thing, message) => {
    expect(() => instrument(thing as object, { name })).toThrow(error(message));
  });

  test('a name that is none, and what is in use already', async () => {
    for (const options of [undefined, {}, { name: '' }, { name: 1 }])
      expect(() => instrument(new Mutex(), options as never)).toThrow(
        error('instrument(thing, { name }): name must be a string that is not empty'),
      );
    const mutex = new Mutex();
    await mutex.acquire();
    expect(() => instrument(mutex, { name })).toThrow(/is locked already/);
    const pool = genericPool.createPool({ create: async () => ({}), destroy: async () => undefined });
    await pool.acquire();
    expect(() => instrument(pool, { name })).toThrow(/borrowed already/);
    const limit = pLimit(1);
    void limit(() => new Promise(() => undefined));
    await new Promise(setImmediate);
    expect(() => instrument(limit, { name })).toThrow(/running jobs already/);
  });
});

describe('what is made known behaves as before', () => {
  test('async-mutex: a mutex', async () => {
    const mutex = instrument(new Mutex(), { name });
    expect(instrument(mutex, { name })).toBe(mutex);
    const order: number[] = [];
    const job = (n: number) =>
      mutex.runExclusive(async () => {
        order.push(n);
        await null;
        order.push(-n);
        return n;
      });
    expect(await Promise.all([job(1), job(2)])).toEqual([1, 2]);
    expect(order).toEqual([1, -1, 2, -2]);
    await expect(mutex.runExclusive(() => Promise.reject(new Error('its own')))).rejects.toThrow('its own');
    const release = await mutex.acquire();
    const canceled = mutex.acquire();
    mutex.cancel();
    await expect(canceled).rejects.toThrow('request for lock canceled');
    release();
    release();
    expect(mutex.isLocked()).toBe(false);
    await mutex.acquire();
    mutex.release();
    expect(mutex.isLocked()).toBe(false);
    await expect(withTimeout(mutex, 1_000).runExclusive(() => 5)).resolves.toBe(5);
  });

  test('async-mutex: a semaphore', async () => {
    const semaphore = instrument(new Semaphore(2), { name });
    const [value, release] = await semaphore.acquire();
    expect([value, semaphore.getValue()]).toEqual([2, 1]);
    release();
    release();
    expect(semaphore.getValue()).toBe(2);
    expect(await semaphore.runExclusive((before) => before, 2)).toBe(2);
    expect(() => semaphore.acquire(0)).toThrow('invalid weight 0: must be positive');
    await semaphore.acquire();
    semaphore.release();
    semaphore.setValue(5);
    expect(semaphore.getValue()).toBe(5);
  });

  test('p-limit', async () => {
    const limit = instrument(pLimit(2), { name });
    const twice = async (x: number) => x * 2;
    expect(await Promise.all([limit(twice, 1), limit(() => 'at once'), limit(twice, 3)])).toEqual([2, 'at once', 6]);
    await expect(limit(() => Promise.reject(new Error('its own')))).rejects.toThrow('its own');
    expect(await limit.map([1, 2, 3], async (x, i) => x + i)).toEqual([1, 3, 5]);
    limit.concurrency = 1;
    expect([limit.concurrency, limit.activeCount, limit.pendingCount]).toEqual([1, 0, 0]);
    expect(() => {
      limit.concurrency = 0;
    }).toThrow('Expected `concurrency`');
    let open: () => void = () => undefined;
    const first = limit(() => new Promise<void>((resolve) => (open = resolve)));
    void limit(() => 2);
    await new Promise(setImmediate);
    expect([limit.activeCount, limit.pendingCount]).toEqual([1, 1]);
    limit.clearQueue();
    expect(limit.pendingCount).toBe(0);
    open();
    await first;
    expect([limit.name, limit.length]).toEqual([pLimit(1).name, pLimit(1).length]);
  });

  test('generic-pool', async () => {
    let made = 0;
    const pool = instrument(
      genericPool.createPool(
        { create: async () => ({ id: ++made }), destroy: async () => undefined },
        { max: 1, acquireTimeoutMillis: 20 },
      ),
      { name },
    );
    const one = await pool.acquire();
    await expect(pool.acquire()).rejects.toThrow('ResourceRequest timed out');
    await pool.release(one);
    await expect(pool.release(one)).rejects.toThrow('not currently part of this pool');
    expect(await pool.use(async ({ id }) => id)).toBe(1);
    await expect(pool.use(() => Promise.reject(new Error('its own')))).rejects.toThrow('its own');
    expect(await pool.use(async ({ id }) => id)).toBe(2);
    expect(pool.borrowed).toBe(0);
  });

  test('pg-pool', async () => {
    class Client extends EventEmitter {
      _queryable = true;
      connect(done: (error?: Error) => void) {
        setImmediate(done);
      }
      end(done?: () => void) {
        done?.();
      }
    }
    const pool = instrument(new PgPool({ max: 1, Client, connectionTimeoutMillis: 20 }), { name });
    const client = await pool.connect();
    await expect(pool.connect()).rejects.toThrow('timeout exceeded when trying to connect');
    client.release();
    expect(() => client.release()).toThrow('already been released');
    const [again, release] = await new Promise<[unknown, () => void]>((resolve, reject) =>
      pool.connect((failed, got, done) => (failed ? reject(failed) : resolve([got, done]))),
    );
    expect(again).toBe(client);
    release();
    expect([pool.totalCount, pool.idleCount]).toEqual([1, 1]);
  });
});

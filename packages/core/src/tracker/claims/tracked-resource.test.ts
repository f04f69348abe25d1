import { beforeEach, describe, expect, test, vi } from 'vitest';
import { CAPTURES_PER_SECOND } from '../../shared/slot-layout.ts';
import type { RequestRecord } from '../request-record.ts';
import { testingRecord } from '../waits/testing-record.ts';
import { claimEvidence } from './claim-evidence.ts';
import { ClaimRecord } from './claim-record.ts';
import { OnlyWaiting } from './only-waits.ts';
import { resource, withoutRequest } from './resource.ts';
import { TrackedResource } from './tracked-resource.ts';
import { waitSnapshot } from './wait-snapshot.ts';

/** What stands in for the process's tracker, with the request whose context is the current one. */
class FakeTracker {
  readonly clock = new Uint32Array(1);
  readonly captureBudget = new Int32Array([CAPTURES_PER_SECOND]);
  readonly records = new Set<RequestRecord>();
  running: RequestRecord | undefined;

  current(): RequestRecord | undefined {
    return this.running;
  }

  runIn<T>(record: RequestRecord | undefined, fn: () => T): T {
    const before = this.running;
    this.running = record;
    try {
      return fn();
    } finally {
      this.running = before;
    }
  }

  runOutside<T>(fn: () => T): T {
    return this.runIn(undefined, fn);
  }
}

let tracker: FakeTracker | undefined;
vi.mock('../process/process-tracker.ts', () => ({ existingTracker: () => tracker, expectClaims: () => undefined }));
beforeEach(() => {
  tracker = undefined;
});

/** The process's tracker, once there is one. */
const theTracker = (): FakeTracker => {
  tracker ??= new FakeTracker();
  return tracker;
};

const made = (...args: Parameters<typeof resource>): TrackedResource => {
  const one = resource(...args);
  if (!(one instanceof TrackedResource)) throw new Error('it is one');
  return one;
};

describe('without hangwatch', () => {
  test('claims do nothing, and nothing is kept', () => {
    const seats = made('seats');
    const claim = seats.claim();
    const promise = Promise.resolve(1);
    expect(claim.waitsFor(promise)).toBe(promise);
    claim.acquired();
    expect(claim.run((a: number) => a + 1, 1)).toBe(2);
    claim.end();
    expect([...seats.claims()]).toEqual([]);
    expect(withoutRequest(() => 7)).toBe(7);
  });
});

test.each([
  [() => resource(7 as never), 'name must be a string, got 7'],
  [() => resource('x', { capacity: 0 }), 'options.capacity must be a number above 0, got 0'],
  [() => resource('x', { capacity: 'many' as never }), 'options.capacity must be a number above 0, got "many"'],
  [() => resource('x', { type: 1 as never }), 'options.type must be a string, got 1'],
  [() => resource('x', { inUse: 1 as never }), 'options.inUse must be a function, got 1'],
])('wrong options are said at once: %#', (make, message) => {
  expect(make).toThrow(expect.objectContaining({ code: 'HANGWATCH_ERR_OPTION', message }));
});

describe('with hangwatch', () => {
  beforeEach(() => void theTracker());

  let requests = 0;
  /** A request that lasts as long as `fn` runs. */
  function inRequest(url: string, fn: (record: RequestRecord) => void): RequestRecord {
    const record = testingRecord(++requests, { method: 'GET', url });
    Object.assign(record.owner, {
      run: (one: RequestRecord, work: (...args: unknown[]) => unknown, ...args: unknown[]) =>
        theTracker().runIn(one, () => work(...args)),
    });
    theTracker().records.add(record);
    theTracker().runIn(record, () => fn(record));
    record.clear();
    theTracker().records.delete(record);
    return record;
  }
  const states = (seats: TrackedResource) =>
    [...seats.claims()].map(({ state, record, ended }) => [state, record?.id ?? ended?.name]);
  const snapshot = () => waitSnapshot([...theTracker().records], new OnlyWaiting(), 0);

  test('a claim waits, holds, and is gone', () => {
    const seats = made('seats', { capacity: 2 });
    inRequest('/job', (record) => {
      const [first, second] = [seats.claim(), seats.claim()];
      first.acquired();
      expect(states(seats)).toEqual([
        ['held', record.id],
        ['waiting', record.id],
      ]);
      expect(claimEvidence(record, record.owner.clock[0] ?? 0)).toMatchObject({
        holds: [{ resource: 'pool "seats"', site: expect.anything() }],
        waits: [{ type: 'pool', label: 'seats' }],
      });
      const [one] = seats.claims();
      second.end();
      second.end();
      first.end();
      expect(states(seats)).toEqual([]);
      expect([...ClaimRecord.of(record)]).toEqual([]);
      expect(record.claims).toBeUndefined();
      expect(one).toMatchObject({
        state: 'over',
        record: undefined,
        captured: undefined,
        earlier: undefined,
        later: undefined,
      });
    });
  });

  test('what a request leaves behind is said to be that of one that has ended; the record itself keeps nothing', () => {
    const seats = made('seats');
    const { claims } = inRequest('/job', () => seats.claim().acquired());
    expect(states(seats)).toEqual([['held', 'GET /job']]);
    expect(claims).toBeUndefined();
    seats.claim();
    expect(states(seats)).toEqual([
      ['held', 'GET /job'],
      ['waiting', undefined],
    ]);
  });

  test('released by another request, nothing that is held of it is trusted any more', () => {
    const seats = made('seats', { capacity: 2 });
    inRequest('/holder', () => {
      const claim = seats.claim();
      claim.acquired();
      seats.claim();
      expect(snapshot()?.resources).toMatchObject([{ trusted: true }]);
      inRequest('/other', () => claim.end());
      expect(snapshot()?.resources).toMatchObject([{ trusted: false }]);
    });
  });

  test('released by whoever took it outside any request, or once its request is over, it is trusted as before', () => {
    const seats = made('seats', { capacity: 3 });
    const outside = seats.claim();
    outside.acquired();
    outside.end();
    let left: ReturnType<typeof seats.claim> | undefined;
    inRequest('/leaves', () => {
      left = seats.claim();
      left.acquired();
    });
    left?.end();
    expect(seats.isDoubtful).toBe(false);
    expect(states(seats)).toEqual([]);
  });

  test('counts that do not agree, or cannot be had, are not trusted', () => {
    const [wrong, broken, right] = [
      made('wrong', { inUse: () => 0 }),
      made('broken', {
        inUse: () => {
          throw new Error('x');
        },
      }),
      made('right', { shared: true, inUse: () => 2 }),
    ];
    inRequest('/job', () => {
      for (const one of [wrong, broken]) one.claim().acquired();
      for (let i = 0; i < 2; i++) right.claim({ shared: true }).acquired();
      const trusted = Object.fromEntries(snapshot()?.resources.map(({ name, trusted }) => [name, trusted]) ?? []);
      expect(trusted).toEqual({ wrong: false, broken: false, right: true });
    });
  });

  test('a writer takes what all readers would; a job of a queue runs in its claimant’s context', () => {
    const [lock, queue] = [made('lock', { shared: true }), made('queue', { capacity: 3 })];
    let claim: ReturnType<typeof queue.claim> | undefined;
    inRequest('/job', (record) => {
      lock.claim();
      expect(snapshot()?.claims).toMatchObject([{ amount: snapshot()?.resources[0]?.capacity }]);
      claim = queue.claim({ amount: 2, timeoutMs: 50 });
      const job = claim.waitsFor(new Promise(() => undefined));
      const found = withoutRequest(() => {
        expect(theTracker().current()).toBeUndefined();
        return claim?.run((x: number) => [x, theTracker().current()], 3);
      });
      expect(found).toEqual([3, record]);
      expect([...queue.claims()]).toMatchObject([{ state: 'held', runs: true, promise: job, amount: 2 }]);
    });
    // The request is over: its job goes on without it.
    expect(claim?.run(() => theTracker().current())).toBeUndefined();
  });

  test('claims without end do not add up without end', () => {
    const seats = made('seats', { capacity: 1e9 });
    theTracker().captureBudget[0] = 0;
    for (let i = 0; i < 10_050; i++) seats.claim().acquired();
    expect([...seats.claims()]).toHaveLength(10_000);
    expect(seats.isDoubtful).toBe(true);
  });
});

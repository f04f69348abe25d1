import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import type { Claim, Party, SharedResource, WaitSnapshot } from '../../shared/wait-snapshot.ts';
import { neverMove } from './never-move.ts';
import { hold, lock, request, wait } from './testing-snapshot.ts';

const stuck = (snapshot: WaitSnapshot) => [...neverMove(snapshot)].sort();

describe('who can never move', () => {
  const parties = [request(41), request(42)];
  const twoLocks = [lock('a'), lock('b')];
  const circle = [hold(0, 0), hold(1, 1), wait(0, 1), wait(1, 0)];

  test('two that wait for each other', () => {
    expect(stuck({ parties, resources: twoLocks, claims: circle })).toEqual([0, 1]);
  });

  const twins: [string, Partial<WaitSnapshot>][] = [
    ['one of them waits for something else as well', { parties: [request(41, { waitsOnly: false }), request(42)] }],
    ['one of them has ended', { parties: [request(41, { kind: 'ended' }), request(42)] }],
    ['one of them is work outside any request', { parties: [request(41, { kind: 'outside' }), request(42)] }],
    ['one of the waits times out', { claims: [hold(0, 0), hold(1, 1), wait(0, 1), wait(1, 0, { timesOutMs: 5 })] }],
    ['there is one more to be had', { resources: [lock('a', { capacity: 2 }), lock('b')] }],
    ['one of the resources is not to be trusted', { resources: [lock('a', { trusted: false }), lock('b')] }],
    [
      'a claim is more than there ever was',
      { claims: [hold(0, 0), hold(1, 1), wait(0, 1), wait(1, 0, { amount: 2 })] },
    ],
    [
      'a callback may release what one of them holds',
      { claims: [hold(0, 0, { mayEndBy: 'a timer' }), hold(1, 1), wait(0, 1), wait(1, 0)] },
    ],
    [
      'a callback may cancel one of the waits',
      { claims: [hold(0, 0), hold(1, 1), wait(0, 1, { mayEndBy: 'a timer' }), wait(1, 0)] },
    ],
    [
      'one of the waits fails as soon as a third goes on, and that can',
      { parties: [...parties, request(43)], resources: [lock('a', { endedBy: [2] }), lock('b')] },
    ],
    ['one of them holds nothing', { claims: [hold(1, 1), wait(0, 1), wait(1, 0)] }],
    ['one of them waits for nothing', { claims: [hold(0, 0), hold(1, 1), wait(0, 1)] }],
  ];
  test.each(twins)('nobody, where %s', (_, change) => {
    expect(stuck({ parties, resources: twoLocks, claims: circle, ...change })).toEqual([]);
  });

  test('two of whom one would be ended by a third that is stuck as well', () => {
    const resources = [lock('a', { endedBy: [2] }), lock('b')];
    expect(stuck({ parties: [...parties, request(43)], resources, claims: [...circle, wait(2, 1)] })).toEqual([
      0, 1, 2,
    ]);
  });

  test('all that wait behind them, and not who waits elsewhere', () => {
    const claims = [...circle, wait(2, 0), wait(3, 2), hold(4, 2)];
    const all = [...parties, request(43), request(44), request(45)];
    expect(stuck({ parties: all, resources: [...twoLocks, lock('c')], claims })).toEqual([0, 1, 2]);
  });

  test('one that waits for what it holds itself, unless it is reentrant', () => {
    const claims = [hold(0, 0), wait(0, 0)];
    expect(stuck({ parties, resources: [lock('a')], claims })).toEqual([0]);
    expect(stuck({ parties, resources: [lock('a', { reentrant: true })], claims })).toEqual([]);
  });

  test('the holders of a whole pool, and not of all but one', () => {
    const all = [request(1), request(2), request(3)];
    const pool = [lock('pool', { capacity: 3 })];
    const waits = all.map((_, party) => wait(party, 0));
    expect(stuck({ parties: all, resources: pool, claims: [hold(0, 0), hold(1, 0), hold(2, 0), ...waits] })).toEqual([
      0, 1, 2,
    ]);
    expect(stuck({ parties: all, resources: pool, claims: [hold(0, 0), hold(1, 0), ...waits] })).toEqual([]);
    const mixed = [request(1), request(2), request(3, { waitsOnly: false })];
    expect(stuck({ parties: mixed, resources: pool, claims: [hold(0, 0), hold(1, 0), hold(2, 0), ...waits] })).toEqual(
      [],
    );
  });

  test('a reader behind a writer that waits for that reader, where nobody overtakes', () => {
    const readersAndWriters = { capacity: 1_000, fair: true };
    const claims = [hold(0, 0), wait(1, 0, { amount: 1_000 }), wait(0, 0)];
    expect(stuck({ parties, resources: [lock('rw', readersAndWriters)], claims })).toEqual([0, 1]);
    expect(stuck({ parties, resources: [lock('rw', { ...readersAndWriters, fair: false })], claims })).toEqual([]);
    expect(stuck({ parties, resources: [lock('rw', { ...readersAndWriters, reentrant: true })], claims })).toEqual([]);
  });

  test('ten thousand that wait for one pool are judged at once', () => {
    const all = Array.from({ length: 10_000 }, (_, i) => request(i));
    const claims = all.map((_, party) => (party < 10 ? hold(party, 0) : wait(party, 0)));
    for (let party = 0; party < 10; party++) claims.push(wait(party, 0));
    const snapshot = { parties: all, resources: [lock('pool', { capacity: 10, fair: true })], claims };
    expect(neverMove(snapshot).size).toBe(10_000);
    expect(neverMove({ ...snapshot, resources: [lock('pool', { capacity: 11 })] }).size).toBe(0);
  });
});

/**
 * The same by trying everything: every state that can be reached by one grant, one release, one time-out or one given up wait after the other.
 * Returns who is never seen to move.
 */
function byTrying({ parties, resources, claims }: WaitSnapshot): number[] {
  const moved = new Set<number>();
  const seen = new Set<string>();
  const begin: Situation = {
    states: claims.map(({ state }) => state),
    moving: parties.map(
      ({ kind, waitsOnly }, i) =>
        kind !== 'request' || !waitsOnly || !claims.some(({ party, state }) => party === i && state === 'waiting'),
    ),
  };
  const pending = [begin];
  for (let now = pending.pop(); now !== undefined; now = pending.pop()) {
    const key = JSON.stringify(now);
    if (seen.has(key)) continue;
    seen.add(key);
    for (const [party, moves] of now.moving.entries()) if (moves) moved.add(party);
    for (const [i, claim] of claims.entries()) {
      const after = next(now, i, claim);
      if (after !== undefined) pending.push(after);
    }
  }
  return [...parties.keys()].filter((party) => !moved.has(party));

  function next({ states, moving }: Situation, i: number, claim: Claim): Situation | undefined {
    const state = states[i];
    if (state === 'over') return undefined;
    const over = states.with(i, 'over');
    // Whoever moves may release what it holds, and may stop to wait.
    if (moving[claim.party] === true) return { states: over, moving };
    // A callback releases, and its party stands still.
    if (state === 'held') return claim.mayEndBy === undefined ? undefined : { states: over, moving };
    if (claim.timesOutMs !== undefined || claim.mayEndBy !== undefined)
      return { states: over, moving: moving.with(claim.party, true) };
    if (!isGranted(states, i, claim, moving)) return undefined;
    return { states: states.with(i, 'held'), moving: moving.with(claim.party, true) };
  }

  function isGranted(
    states: readonly State[],
    i: number,
    { resource, party, amount }: Claim,
    moving: readonly boolean[],
  ): boolean {
    const { capacity, trusted, reentrant, fair, endedBy } = resources[resource] as SharedResource;
    if (!trusted || endedBy.some((each) => moving[each]) || amount > capacity) return true;
    const inState = (state: State) => (claim: Claim, at: number) => states[at] === state && claim.resource === resource;
    const held = claims.filter(inState('held'));
    const mine = reentrant ? held.filter((claim) => claim.party === party) : [];
    const waitsBefore = claims.some((claim, at) => at < i && inState('waiting')(claim, at) && claim.amount <= capacity);
    if (fair && mine.length === 0 && waitsBefore) return false;
    const taken = held.filter((claim) => !mine.includes(claim)).reduce((sum, claim) => sum + claim.amount, 0);
    return taken + amount <= capacity;
  }
}

type State = 'waiting' | 'held' | 'over';
interface Situation {
  readonly states: readonly State[];
  readonly moving: readonly boolean[];
}

describe('against trying everything', () => {
  const someParty: fc.Arbitrary<Party> = fc
    .record({
      kind: fc.constantFrom<Party['kind'][]>(
        ...Array.from({ length: 20 }, () => 'request' as const),
        'ended',
        'outside',
      ),
      waitsOnly: fc.constantFrom(...Array.from({ length: 12 }, () => true), false),
    })
    .map((parts) => request(1, parts));
  const someResource: fc.Arbitrary<SharedResource> = fc
    .record({
      capacity: fc.constantFrom(1, 1, 1, 1, 2, 3),
      reentrant: fc.constantFrom(false, false, true),
      fair: fc.boolean(),
      trusted: fc.constantFrom(...Array.from({ length: 12 }, () => true), false),
      endedBy: fc.oneof({ weight: 5, arbitrary: fc.constant([]) }, fc.array(fc.nat(), { maxLength: 2 })),
    })
    .map((parts) => lock('x', parts));
  const someSnapshot: fc.Arbitrary<WaitSnapshot> = fc
    .tuple(
      fc.array(someParty, { minLength: 1, maxLength: 4 }),
      fc.array(someResource, { minLength: 1, maxLength: 3 }),
      fc.array(
        fc.tuple(
          fc.nat(),
          fc.nat(),
          fc.constantFrom<Claim['state'][]>('held', 'waiting'),
          fc.integer({ min: 1, max: 3 }),
          fc.integer({ min: 0, max: 19 }),
          fc.constantFrom(...Array.from({ length: 30 }, () => undefined), 'a timer'),
        ),
        { minLength: 2, maxLength: 7 },
      ),
    )
    .map(([parties, drawnResources, drawn]) => {
      const resources = drawnResources.map((each) => ({
        ...each,
        endedBy: each.endedBy.map((party) => party % parties.length),
      }));
      const free = resources.map(({ capacity }) => capacity);
      const claims = drawn.flatMap(([p, r, state, size, timed, mayEndBy]): Claim[] => {
        const [party, resource] = [p % parties.length, r % resources.length];
        const left = free[resource] ?? 0;
        // Locks are most of what is claimed, and what is held cannot be more than there is.
        const amount =
          state === 'held' ? Math.min(size, left) : Math.min(size, (resources[resource]?.capacity ?? 1) + 1);
        if (amount === 0) return [];
        if (state === 'held') free[resource] = left - amount;
        return [
          state === 'held'
            ? hold(party, resource, { amount, mayEndBy })
            : wait(party, resource, { amount, mayEndBy, timesOutMs: timed === 0 ? 1 : undefined }),
        ];
      });
      return { parties, resources, claims };
    });

  test('the same, in thousands of cases', () => {
    let deadlocked = 0;
    fc.assert(
      fc.property(someSnapshot, (snapshot) => {
        const found = stuck(snapshot);
        if (found.length > 0) deadlocked += 1;
        expect(found).toEqual(byTrying(snapshot));
      }),
      { numRuns: 5_000 },
    );
    // Cases that prove nothing would all agree.
    expect(deadlocked).toBeGreaterThan(200);
  });
});

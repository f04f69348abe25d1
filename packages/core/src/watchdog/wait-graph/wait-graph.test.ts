import { DUMP_LIMITS } from '@hangwatch/protocol';
import fc from 'fast-check';
import { expect, test } from 'vitest';
import { neverMove } from './never-move.ts';
import { hold, lock, request, wait } from './testing-snapshot.ts';
import { waitGraph } from './wait-graph.ts';

const site = { function: 'flush', file: '/app/flush.ts', line: 3, column: 1, async: false, kind: 'app' as const };

test('a deadlock edge by edge, and who waits behind it', () => {
  const { deadlocked, waitFor } = waitGraph({
    parties: [request(41), request(42), request(43)],
    resources: [lock('logging'), lock('./feature.mjs', { type: 'import' })],
    claims: [
      wait(2, 0, { sinceMs: 300 }),
      hold(0, 1, { sinceMs: 2_000, site }),
      hold(1, 0, { sinceMs: 3_000 }),
      wait(0, 0, { sinceMs: 1_000 }),
      wait(1, 1, { sinceMs: 900, site }),
    ],
  });
  expect([...deadlocked].sort()).toEqual([41, 42, 43]);
  expect(waitFor).toEqual({
    edges: [
      {
        request: 42,
        waitsFor: 'import ./feature.mjs',
        heldBy: 41,
        sinceMs: 900,
        heldMs: 2_000,
        site,
        heldSite: site,
      },
      { request: 41, waitsFor: 'lock "logging"', heldBy: 42, sinceMs: 1_000, heldMs: 3_000 },
      { request: 43, waitsFor: 'lock "logging"', heldBy: 42, sinceMs: 300, heldMs: 3_000 },
    ],
    cycles: [[0, 1]],
  });
});

test('holders that are no requests are named; what times out says so; nothing is proven', () => {
  const { deadlocked, waitFor } = waitGraph({
    parties: [request(1), request(0, { kind: 'outside' }), request(7, { kind: 'ended', name: 'GET /stock/:sku' })],
    resources: [lock('pg', { type: 'pool', capacity: 2 })],
    claims: [hold(1, 0, { sinceMs: 50 }), hold(2, 0, { sinceMs: 60 }), wait(0, 0, { timesOutMs: 4_000 })],
  });
  expect(deadlocked.size).toBe(0);
  expect(waitFor.edges.map(({ holder, heldBy, timesOutMs }) => [holder, heldBy, timesOutMs])).toEqual([
    ['GET /stock/:sku, which has ended', undefined, 4_000],
    ['work outside any request', undefined, 4_000],
  ]);
  expect(waitFor.cycles).toEqual([]);
});

test('a reader behind a writer that waits for it', () => {
  const { waitFor } = waitGraph({
    parties: [request(1), request(2)],
    resources: [lock('rw', { capacity: 1_000, fair: true })],
    claims: [hold(0, 0), wait(1, 0, { amount: 1_000 }), wait(0, 0)],
  });
  expect(waitFor.cycles).toHaveLength(1);
  const cycle = waitFor.cycles[0]?.map((index) => waitFor.edges[index]);
  expect(cycle?.map((edge) => [edge?.request, edge?.heldBy, edge?.ahead])).toEqual([
    [2, 1, undefined],
    [1, 2, true],
  ]);
});

test('thousands of waiters are no more edges than a dump holds, the deadlock among them', () => {
  const parties = Array.from({ length: 5_000 }, (_, i) => request(i));
  const claims = parties.map((_, party) => wait(party, 0));
  const all = [...claims.slice(0, 4_998), hold(4_998, 0), hold(4_999, 1), wait(4_998, 1), wait(4_999, 0)];
  const { deadlocked, waitFor } = waitGraph({ parties, resources: [lock('a'), lock('b')], claims: all });
  expect(deadlocked.size).toBe(5_000);
  expect(waitFor.edges).toHaveLength(DUMP_LIMITS.edges);
  expect(waitFor.cycles).toHaveLength(1);
});

test('whoever can never move waits for somebody who can never move; every cycle is closed and of such alone', () => {
  const some = fc.record({
    resources: fc.array(
      fc.record({ capacity: fc.constantFrom(1, 1, 2), fair: fc.boolean(), reentrant: fc.boolean() }),
      {
        minLength: 1,
        maxLength: 4,
      },
    ),
    drawn: fc.array(fc.tuple(fc.nat(5), fc.nat(3), fc.boolean()), { minLength: 8, maxLength: 20 }),
  });
  let deadlocks = 0;
  fc.assert(
    fc.property(some, ({ resources, drawn }) => {
      const left = resources.map(({ capacity }): number => capacity);
      const claims = drawn.flatMap(([party, drawnResource, held]) => {
        const resource = drawnResource % resources.length;
        if (!held) return [wait(party, resource)];
        left[resource] = (left[resource] ?? 0) - 1;
        return (left[resource] ?? 0) < 0 ? [] : [hold(party, resource)];
      });
      const parties = Array.from({ length: 6 }, (_, i) => request(i));
      const snapshot = { parties, resources: resources.map((parts) => lock('x', parts)), claims };
      const { deadlocked, waitFor } = waitGraph(snapshot);
      expect([...deadlocked].sort()).toEqual([...neverMove(snapshot)].sort());
      for (const number of deadlocked) {
        const blocked = waitFor.edges.filter((edge) => edge.request === number);
        expect(blocked.some(({ heldBy }) => heldBy !== undefined && deadlocked.has(heldBy))).toBe(true);
      }
      expect(waitFor.cycles.length > 0).toBe(deadlocked.size > 0);
      deadlocks += waitFor.cycles.length;
      for (const cycle of waitFor.cycles) {
        const edges = cycle.map((index) => waitFor.edges[index]);
        edges.forEach((edge, i) => {
          expect(deadlocked.has(edge?.request ?? -1)).toBe(true);
          expect(edge?.heldBy).toBe(edges[(i + 1) % edges.length]?.request);
        });
      }
    }),
    { numRuns: 3_000 },
  );
  expect(deadlocks).toBeGreaterThan(500);
});

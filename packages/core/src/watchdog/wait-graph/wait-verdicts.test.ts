import type { DumpRequest } from '@hangwatch/protocol';
import { sampleDump } from '@hangwatch/protocol/sample';
import { expect, test } from 'vitest';
import type { Claim, Party, SharedResource } from '../../shared/wait-snapshot.ts';
import { deadlockSentence } from './deadlock-sentence.ts';
import { hold, lock, request, wait } from './testing-snapshot.ts';
import { judgeWaits } from './wait-verdicts.ts';

const site = { function: 'take', file: '/app/src/db.ts', line: 18, column: 20, async: false, kind: 'app' as const };
const busy = { waitsOnly: false };

const table: [string, Party[], SharedResource, Claim[], string, string][] = [
  [
    'a lock that another request holds',
    [request(1), request(2, busy)],
    lock('x'),
    [hold(1, 0, { sinceMs: 3_000, site }), wait(0, 0)],
    'no-progress',
    'waits for lock "x", held by GET /2 (#2) for 3.0 s (acquired at src/db.ts:18:20)',
  ],
  [
    'a wait that times out',
    [request(1), request(2, busy)],
    lock('x'),
    [hold(1, 0), wait(0, 0, { timesOutMs: 4_000 })],
    'no-progress',
    'waits for lock "x", held by GET /2 (#2) for 1.0 s; it gives up in 4.0 s',
  ],
  [
    'a lock held by nobody in flight',
    [request(1), request(0, { kind: 'outside', name: '' })],
    lock('x'),
    [hold(1, 0), wait(0, 0)],
    'no-progress',
    'waits for lock "x", held by work outside any request for 1.0 s',
  ],
  [
    'a lock whose request has ended',
    [request(1), request(2, { kind: 'ended' })],
    lock('x'),
    [hold(1, 0, { site }), wait(0, 0)],
    'leaked',
    'waits for lock "x", held by GET /2, which has ended for 1.0 s (acquired at src/db.ts:18:20)',
  ],
  [
    'a pool',
    [request(1), request(2, busy), request(3, busy)],
    lock('pg', { type: 'pool', capacity: 2 }),
    [hold(1, 0), hold(2, 0, { sinceMs: 41_000, site }), wait(0, 0), wait(1, 0)],
    'pool-exhausted',
    'waits for pool "pg", which is exhausted: 2 of 2 held, oldest held by GET /3 (#3) for 41.0 s (acquired at src/db.ts:18:20), 2 waiting',
  ],
  [
    'a pool of which some has been leaked',
    [request(1), request(2, { kind: 'ended' }), request(3, busy)],
    lock('pg', { type: 'pool', capacity: 2 }),
    [hold(1, 0), hold(2, 0, { sinceMs: 41_000 }), wait(0, 0)],
    'leaked',
    'waits for pool "pg", which is exhausted: 2 of 2 held, 1 of them by requests that have ended, one held by GET /2, which has ended for 1.0 s, 1 waiting',
  ],
];

test.each(table)('why a request stands still: %s', (_, parties, resource, claims, evidence, summary) => {
  const { verdicts } = judgeWaits({ parties, resources: [resource], claims }, '/app');
  expect(verdicts?.get(1)).toEqual({ verdict: { evidence, summary }, sinceMs: 1_000, proven: false });
});

test('what can be had is no reason, nor is what nobody holds; of several waits the youngest tells', () => {
  const parties = [request(1), request(2, busy)];
  const resources = [lock('free', { capacity: 2 }), lock('old'), lock('young')];
  const judged = (claims: Claim[]) =>
    judgeWaits({ parties, resources, claims }, '/app').verdicts?.get(1)?.verdict.summary;
  expect(judged([hold(1, 0), wait(0, 0)])).toBeUndefined();
  expect(judged([wait(0, 1)])).toBeUndefined();
  const both = [hold(1, 1), hold(1, 2), wait(0, 1, { sinceMs: 9_000 }), wait(0, 2, { sinceMs: 8_000 })];
  expect(judged(both)).toContain('lock "young"');
  expect(judgeWaits(undefined, '/app')).toEqual({});
});

const named = (id: number, route: string): DumpRequest => {
  const [first] = sampleDump().requests;
  if (first === undefined) throw new Error('the sample has requests');
  return { ...first, id, method: 'GET', route };
};
const ring = (size: number, start = 1) =>
  Array.from({ length: size }, (_, i) => ({
    request: start + i,
    waitsFor: `lock "${i}"`,
    heldBy: start + ((i + 1) % size),
    sinceMs: 1,
  }));
const indexes = (size: number) => Array.from({ length: size }, (_, i) => i);

test('the sentence about a deadlock', () => {
  const requests = [named(1, '/a'), named(2, '/b'), named(3, '/c')];
  const said = (size: number) => deadlockSentence(requests, { edges: ring(size), cycles: [indexes(size)] });
  expect(said(1)).toBe('deadlock: GET /a waits for lock "0", which it holds itself');
  expect(said(2)).toBe('deadlock: GET /a and GET /b wait for each other (lock "0", lock "1")');
  expect(said(3)).toBe('deadlock: GET /a, GET /b and GET /c wait for each other (lock "0", lock "1", lock "2")');
  expect(said(9)).toBe(
    'deadlock: GET /a, GET /b, GET /c, #4 and 5 more wait for each other (lock "0", lock "1", lock "2", lock "3")',
  );
  expect(deadlockSentence(requests, { edges: [], cycles: [] })).toBeUndefined();
  expect(deadlockSentence(requests, undefined)).toBeUndefined();
  const two = { edges: [...ring(2), ...ring(1, 3)], cycles: [[0, 1], [2]] };
  expect(deadlockSentence(requests, two)).toMatch(/; and 1 more$/);
});

test('of several holders the one is named that can never go on, whoever holds it for longer', () => {
  const parties = [request(1), request(2), request(3, busy)];
  const resources = [lock('rows', { capacity: 3 }), lock('own')];
  const claims = [
    hold(1, 0, { sinceMs: 2_000 }),
    hold(2, 0, { sinceMs: 9_000 }),
    wait(0, 0, { amount: 3 }),
    hold(1, 1),
    wait(1, 1),
  ];
  const { verdicts } = judgeWaits({ parties, resources, claims }, '/app');
  expect(verdicts?.get(1)?.verdict.summary).toBe(
    'waits for lock "rows", held by GET /2 (#2) for 2.0 s, and neither can go on',
  );
});

test('what looks like a deadlock that a callback may end is told as that', () => {
  const claims = [hold(0, 0, { mayEndBy: 'a pending callback (Timeout)' }), hold(1, 1), wait(0, 1), wait(1, 0)];
  const { verdicts, graph } = judgeWaits(
    { parties: [request(1), request(2)], resources: [lock('x'), lock('y')], claims },
    '/app',
  );
  expect(graph).toMatchObject({ deadlocked: new Set(), waitFor: { cycles: [] } });
  expect(verdicts?.get(2)).toMatchObject({
    proven: false,
    verdict: {
      evidence: 'no-progress',
      summary:
        'waits for lock "x", held by GET /1 (#1) for 1.0 s; it looks like a deadlock, which a pending callback (Timeout) of GET /1 (#1) could still end',
    },
  });
});

test('who is deadlocked is proven so, alone with itself or behind others', () => {
  const parties = [request(1), request(2), request(3)];
  const claims = [hold(0, 0), wait(0, 0), wait(1, 0), wait(2, 1), hold(1, 1)];
  const { verdicts, graph } = judgeWaits({ parties, resources: [lock('x'), lock('y')], claims }, '/app');
  expect(graph?.deadlocked).toEqual(new Set([1, 2, 3]));
  expect([...(verdicts?.values() ?? [])].map(({ verdict }) => verdict)).toEqual([
    { evidence: 'proven-cycle', summary: 'waits for lock "x", which it holds itself' },
    { evidence: 'proven-cycle', summary: 'waits for lock "x", held by GET /1 (#1) for 1.0 s, and neither can go on' },
    { evidence: 'proven-cycle', summary: 'waits for lock "y", held by GET /2 (#2) for 1.0 s, and neither can go on' },
  ]);
});

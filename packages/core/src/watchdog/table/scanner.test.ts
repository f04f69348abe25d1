import type { Evidence } from '@hangwatch/protocol';
import fc from 'fast-check';
import { expect, test } from 'vitest';
import { FLAG_UNWATCHED } from '../../shared/slot-layout.ts';
import { Episode } from '../diagnosis/episode.ts';
import { Scanner } from './scanner.ts';
import { TableReader } from './table-reader.ts';
import { TestingTable } from './testing-table.ts';

const verdict = (evidence: Evidence) => ({ evidence, summary: '' });

function setUp() {
  const table = new TestingTable();
  const reader = new TableReader();
  reader.add(0, table.buffer);
  const scanner = new Scanner(reader);
  const suspicions = (nowMs: number) =>
    scanner.scan(nowMs).suspects.map(({ watched, suspicion }) => `${watched.slot} ${suspicion}`);
  return { table, scanner, suspicions };
}

test('a request whose numbers do not move for its timeout is still', () => {
  const { table, scanner, suspicions } = setUp();
  table.enter(3, { timeoutMs: 1_000 });
  expect(suspicions(0)).toEqual([]);
  expect(scanner.scan(500).nextDueMs).toBe(1_000);
  expect(suspicions(999)).toEqual([]);
  expect(suspicions(1_000)).toEqual(['3 still']);
});

test('a request that moves is not still; one that moves without advancing is looked at', () => {
  const { table, scanner, suspicions } = setUp();
  const generation = table.enter(0);
  suspicions(0);
  for (let nowMs = 100; nowMs < 1_000; nowMs += 100) {
    table.move(0);
    expect(suspicions(nowMs)).toEqual([]);
  }
  table.move(0);
  expect(suspicions(1_000)).toEqual(['0 moving']);
  const watched = scanner.get(0, generation);
  if (watched === undefined) throw new Error('the slot is watched');
  watched.lookAtMs = 1_700;
  table.move(0);
  expect(suspicions(1_600)).toEqual([]);
  expect(suspicions(1_700)).toEqual(['0 moving']);
  table.advance(0);
  expect(suspicions(1_800)).toEqual([]);
});

test('a slot that changed hands begins anew', () => {
  const { table, suspicions } = setUp();
  table.enter(0);
  suspicions(0);
  table.leave(0);
  table.enter(0);
  expect(suspicions(1_000)).toEqual([]);
  expect(suspicions(2_000)).toEqual(['0 still']);
});

test('what is not watched, or was reported and has not moved since, is no suspect, and still in flight', () => {
  const { table, scanner } = setUp();
  for (const slot of [0, 1]) table.enter(slot);
  scanner.scan(0);
  table.setFlag(0, FLAG_UNWATCHED);
  const { suspects } = scanner.scan(5_000);
  expect(suspects.map(({ watched }) => watched.slot)).toEqual([1]);
  for (const { watched } of suspects) watched.episode = new Episode(verdict('no-progress'), 'here', 5_000);
  const later = scanner.scan(9_000);
  expect(later.suspects).toEqual([]);
  expect(later.inFlight).toHaveLength(2);
  expect(later.nextDueMs).toBe(Number.POSITIVE_INFINITY);
});

test('a request that was reported, and has moved since, is a suspect again; slow it is called once', () => {
  const { table, scanner, suspicions } = setUp();
  const generation = table.enter(0, { maxDurationMs: 2_000 });
  scanner.scan(0);
  for (const nowMs of [500, 1_000, 1_500, 2_000]) {
    table.advance(0);
    scanner.scan(nowMs);
  }
  const watched = scanner.get(0, generation);
  if (watched === undefined) throw new Error('the slot is watched');
  watched.episode = new Episode(verdict('slow'), 'here', 2_000);
  table.advance(0);
  expect(suspicions(2_500)).toEqual([]);
  expect(scanner.scan(2_500).nextDueMs).toBe(3_500);
  expect(suspicions(3_499)).toEqual([]);
  expect(suspicions(3_500)).toEqual(['0 still']);
  watched.episode.again(3_500);
  expect(suspicions(9_000)).toEqual([]);
});

test('a request that moves and advances past its longest duration is slow', () => {
  const { table, suspicions } = setUp();
  table.enter(0, { maxDurationMs: 3_000 });
  for (let nowMs = 0; nowMs < 3_000; nowMs += 500) {
    table.advance(0);
    expect(suspicions(nowMs)).toEqual([]);
  }
  table.advance(0);
  expect(suspicions(3_000)).toEqual(['0 slow']);
});

test('never early, and at most one scan late, whatever the schedule of moves', () => {
  const gaps = fc.array(fc.integer({ min: 1, max: 400 }), { maxLength: 30 });
  fc.assert(
    fc.property(gaps, fc.integer({ min: 10, max: 250 }), (moves, intervalMs) => {
      const { table, scanner } = setUp();
      table.enter(0, { timeoutMs: 1_000 });
      const moveTimes: number[] = [];
      for (const gap of moves) moveTimes.push((moveTimes.at(-1) ?? 0) + gap);
      const lastMoveMs = moveTimes.at(-1) ?? 0;
      let nowMs = 0;
      for (;;) {
        const scan = scanner.scan(nowMs);
        if (scan.suspects.some(({ suspicion }) => suspicion === 'still')) break;
        const nextMs = Math.max(nowMs + 1, Math.min(nowMs + intervalMs, Math.ceil(scan.nextDueMs)));
        for (const time of moveTimes) if (time > nowMs && time <= nextMs) table.move(0);
        nowMs = nextMs;
      }
      expect(nowMs).toBeGreaterThanOrEqual(lastMoveMs + 1_000);
      expect(nowMs).toBeLessThanOrEqual(lastMoveMs + 1_000 + intervalMs);
    }),
  );
});

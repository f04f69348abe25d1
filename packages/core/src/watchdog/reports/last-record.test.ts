import type { Dump } from '@hangwatch/protocol';
import { expect, test } from 'vitest';
import { FLAG_UNWATCHED } from '../../shared/slot-layout.ts';
import { Scanner } from '../table/scanner.ts';
import { TableReader } from '../table/table-reader.ts';
import { TestingTable } from '../table/testing-table.ts';
import { LastRecord } from './last-record.ts';
import { testingDumpBase } from './testing/dump-base.ts';

function setUp(scanIntervalMs = 100) {
  const kept: (Dump | undefined)[] = [];
  const record = new LastRecord(testingDumpBase(scanIntervalMs), (dump) => kept.push(dump), scanIntervalMs);
  const table = new TestingTable();
  const reader = new TableReader();
  reader.add(0, table.buffer);
  const scanner = new Scanner(reader);
  const scan = (nowMs: number) => record.update(scanner.scan(nowMs).inFlight, undefined, nowMs, nowMs);
  return { kept, record, table, scan };
}

test('a record is kept from half of the timeout on, once a second, under one id, and dropped when nothing old is left', () => {
  const { kept, table, scan } = setUp();
  table.enter(0, { timeoutMs: 10_000, startMs: 0, request: 7 });
  for (let nowMs = 0; nowMs < 5_000; nowMs += 100) scan(nowMs);
  expect(kept).toEqual([]);
  for (let nowMs = 5_000; nowMs <= 8_000; nowMs += 100) scan(nowMs);
  expect(kept).toHaveLength(4);
  expect(new Set(kept.map((dump) => dump?.id)).size).toBe(1);
  expect(kept.at(-1)).toMatchObject({
    kind: 'crash',
    crash: { cause: 'died', renewedEveryMs: 1_000 },
    requests: [{ id: 7, elapsedMs: 8_000 }],
  });
  table.leave(0);
  scan(8_100);
  scan(8_200);
  expect(kept.slice(4)).toEqual([undefined]);
});

test('news renews it before its time; a longer scan interval is what it says of its age', () => {
  const { kept, record, table, scan } = setUp(5_000);
  record.outdated();
  table.enter(0, { timeoutMs: 1_000 });
  scan(1_000);
  record.outdated();
  scan(1_001);
  scan(1_002);
  expect(kept.map((dump) => dump?.crash?.renewedEveryMs)).toEqual([5_000, 5_000]);
});

test.each([
  [30, 990],
  [400, 800],
  [600, 600],
  [700, 700],
  [1_000, 1_000],
  [5_000, 5_000],
])('scans every %i ms renew it every %i ms: at most a second old, where scans come that often', (scanMs, renewMs) => {
  const { kept, table, scan } = setUp(scanMs);
  table.enter(0, { timeoutMs: 1_000 });
  // A little late each time, as timers are.
  for (let i = 0; i <= 200; i++) scan(1_000 + i * (scanMs + 0.1));
  expect(kept.at(-1)?.crash?.renewedEveryMs).toBe(renewMs);
  expect(kept.length).toBe(1 + Math.floor((200 * scanMs) / renewMs));
});

test('a scan out of turn does not put it off: it says when it is due', () => {
  const { record, table, scan } = setUp(1_000);
  expect(record.dueInMs(0)).toBe(Number.POSITIVE_INFINITY);
  table.enter(0, { timeoutMs: 1_000 });
  scan(1_000);
  scan(1_400);
  expect(record.dueInMs(1_400)).toBe(600);
});

test('event streams and upgraded connections are old by nature', () => {
  const { kept, table, scan } = setUp();
  table.enter(0, { timeoutMs: 1_000 });
  table.setFlag(0, FLAG_UNWATCHED);
  scan(60_000);
  expect(kept).toEqual([]);
});

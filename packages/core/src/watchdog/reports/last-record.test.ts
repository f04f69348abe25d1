import type { Dump } from '@hangwatch/protocol';
import { expect, test } from 'vitest';
import { recorderBytes } from '../../shared/recorder-layout.ts';
import { FLAG_UNWATCHED, HEADER_CELLS } from '../../shared/slot-layout.ts';
import { WORKER_PROTOCOL_VERSION } from '../../shared/worker-protocol.ts';
import { ClockPauses } from '../table/clock-pauses.ts';
import { RecentPast } from '../table/recent-past.ts';
import { RecorderReader } from '../table/recorder-reader.ts';
import { Scanner } from '../table/scanner.ts';
import { TableReader } from '../table/table-reader.ts';
import { TestingTable } from '../table/testing-table.ts';
import { DumpBase } from './dump-base.ts';
import { LastRecord } from './last-record.ts';

function setUp(scanIntervalMs = 100) {
  const texts = new Map<number, string>();
  const past = new RecentPast(
    new RecorderReader(new SharedArrayBuffer(recorderBytes(64))),
    texts,
    new ClockPauses(),
    scanIntervalMs,
  );
  const settings = {
    version: WORKER_PROTOCOL_VERSION,
    header: new SharedArrayBuffer(HEADER_CELLS * 4),
    recorder: new SharedArrayBuffer(recorderBytes(64)),
    scanIntervalMs,
    evidenceWaitMs: 500,
    collectors: [],
    token: undefined,
    spoolDir: undefined,
    service: 'shop',
    serviceVersion: '1.0.0',
    hangwatchVersion: '0.1.0',
    instance: 'i-1',
    hostname: 'h',
    pid: 1,
    threadId: 0,
    kernelThread: undefined,
    clusterWorker: undefined,
    poolSize: 4,
    blockedLoopMs: 0,
    blockedLoopStack: true,
    cwd: '/app',
    nodeVersion: 'v20.20.0',
    startedAtMs: Date.now(),
    notifyHang: false,
    keepsRecord: true,
  } as const;
  const kept: (Dump | undefined)[] = [];
  const record = new LastRecord(new DumpBase(settings, texts, past), (dump) => kept.push(dump), scanIntervalMs);
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

test('event streams and upgraded connections are old by nature', () => {
  const { kept, table, scan } = setUp();
  table.enter(0, { timeoutMs: 1_000 });
  table.setFlag(0, FLAG_UNWATCHED);
  scan(60_000);
  expect(kept).toEqual([]);
});

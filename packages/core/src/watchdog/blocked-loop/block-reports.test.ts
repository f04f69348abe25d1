import type { Dump, DumpBlock } from '@hangwatch/protocol';
import { expect, test } from 'vitest';
import { Outbox } from '../reports/outbox.ts';
import { testingDumpBase } from '../reports/testing/dump-base.ts';
import { Scanner } from '../table/scanner.ts';
import { TableReader } from '../table/table-reader.ts';
import { TestingTable } from '../table/testing-table.ts';
import { BlockReports } from './block-reports.ts';

const BLOCK: DumpBlock = { sinceMs: 1_200, state: 'running', cause: 'javascript', what: 'runs JavaScript', stack: [] };

function setUp() {
  const table = new TestingTable();
  const reader = new TableReader();
  reader.add(0, table.buffer);
  const scanner = new Scanner(reader);
  const dumps: Dump[] = [];
  const reports = new BlockReports({
    base: testingDumpBase(),
    outbox: new Outbox(
      (dump) => dumps.push(dump),
      () => 0,
    ),
    texts: new Map(),
    nowMs: () => 0,
    inFlight: () => scanner.scan(0).inFlight,
  });
  const report = (running: number) =>
    reports.report({ block: { ...BLOCK, running }, evidence: undefined, follows: undefined });
  const told = () => dumps.map(({ requests }) => requests.map(({ id, state }) => [id, state]));
  return { table, reports, report, told };
}

test('whose code blocked is told, also when the report comes after its end', () => {
  const { table, reports, report, told } = setUp();
  table.enter(0, { request: 1 });
  table.enter(1, { request: 2 });
  expect(reports.noticed()).toBe(true);
  table.leave(1);
  report(2);
  expect(told()).toEqual([
    [
      [2, 'stuck'],
      [1, 'moving'],
    ],
  ]);
});

test('who has taken its place since then is not taken for it', () => {
  const { table, reports, report, told } = setUp();
  table.enter(0, { request: 1 });
  table.enter(1, { request: 2 });
  reports.noticed();
  table.leave(0);
  table.enter(0, { request: 3 });
  table.leave(1);
  table.enter(1, { request: 4 });
  report(2);
  expect(told()).toEqual([
    [
      [2, 'stuck'],
      [3, 'moving'],
    ],
  ]);
});

test('nobody waits', () => {
  expect(setUp().reports.noticed()).toBe(false);
});

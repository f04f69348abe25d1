import type { DumpFrame } from '@hangwatch/protocol';
import { expect, test } from 'vitest';
import type { LookResult } from '../../shared/worker-protocol.ts';
import { Scanner } from '../table/scanner.ts';
import { TableReader } from '../table/table-reader.ts';
import { TestingTable } from '../table/testing-table.ts';
import { SlowPlaces } from './slow-places.ts';

const frame = (line: number): DumpFrame => ({
  function: 'poll',
  file: '/app/poll.ts',
  line,
  column: 1,
  async: true,
  kind: 'app',
});

function setUp(lines: (number | undefined)[]) {
  const table = new TestingTable();
  const reader = new TableReader();
  reader.add(0, table.buffer);
  const scanner = new Scanner(reader);
  const asked: number[] = [];
  const places = new SlowPlaces({
    look: async (slots) => {
      asked.push(slots.length);
      const line = lines.shift();
      return slots.map(
        (ref): LookResult => ({ ...ref, youngestOwnMs: 0, ...(line !== undefined && { place: frame(line) }) }),
      );
    },
  });
  return { table, scanner, places, asked };
}

test('a request that comes near its longest duration is looked at, and the places are counted', async () => {
  const { table, scanner, places, asked } = setUp([7, 9, 7, undefined]);
  table.enter(0, { maxDurationMs: 4_000 });
  table.enter(1);
  const scan = async (nowMs: number) => {
    table.advance(0);
    table.advance(1);
    const { nearlySlow } = scanner.scan(nowMs);
    await places.look(nearlySlow);
    return nearlySlow;
  };
  for (const nowMs of [0, 1_000, 2_000, 2_999]) expect(await scan(nowMs)).toEqual([]);
  for (const nowMs of [3_000, 3_300, 3_600, 3_900]) expect((await scan(nowMs)).map(({ slot }) => slot)).toEqual([0]);
  expect(asked).toEqual([1, 1, 1, 1]);
  const [watched] = await scan(3_950);
  expect(watched && places.of(watched)).toEqual({
    places: [
      { frame: frame(7), times: 2 },
      { frame: frame(9), times: 1 },
    ],
    byTurns: true,
  });
});

test('one place after the other is no going round', async () => {
  const { table, scanner, places } = setUp([7, 7, 9, 9, 9, 7]);
  table.enter(0, { maxDurationMs: 1_000 });
  scanner.scan(0);
  const [watched] = scanner.scan(900).nearlySlow;
  if (watched === undefined) throw new Error('the request is nearly slow');
  for (let i = 0; i < 5; i++) await places.look([watched]);
  expect(places.of(watched)?.byTurns).toBe(false);
  await places.look([watched]);
  expect(places.of(watched)?.byTurns).toBe(true);
});

test('of many places some are kept, and of a request that was never seen nothing is said', async () => {
  const { table, scanner, places } = setUp(Array.from({ length: 50 }, (_, i) => i + 1));
  table.enter(0, { maxDurationMs: 1_000 });
  scanner.scan(0);
  const [watched] = scanner.scan(900).nearlySlow;
  if (watched === undefined) throw new Error('the request is nearly slow');
  expect(places.of(watched)).toBeUndefined();
  for (let i = 0; i < 50; i++) await places.look([watched]);
  expect(places.of(watched)?.places).toHaveLength(8);
});

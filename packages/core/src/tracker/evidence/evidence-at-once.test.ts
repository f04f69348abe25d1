import { expect, test } from 'vitest';
import { testingRecord } from '../waits/testing-record.ts';
import { evidenceAtOnce } from './evidence-at-once.ts';

const PLENTY_MS = 60_000;
const named = (id: number) => testingRecord(id, { method: `R${id}` });
const namesOf = (...[records, running, longestMs]: Parameters<typeof evidenceAtOnce>) =>
  evidenceAtOnce(records, running, longestMs).requests.map(({ method }) => method);

test('the running request comes first, then the oldest, and last what is silent by nature', () => {
  const records = [5, 3, 9, 1].map(named);
  const [five, , nine] = records;
  five?.unwatch();
  expect(namesOf([undefined, ...records], nine, PLENTY_MS)).toEqual(['R9', 'R1', 'R3', 'R5']);
});

test('two hundred are told of: those of the oldest that somebody waits for', () => {
  const records = Array.from({ length: 600 }, (_, i) => named(i + 1));
  for (const record of records.slice(0, 300)) record.unwatch();
  const running = records.at(-1);
  const told = namesOf(records.toReversed(), running, PLENTY_MS);
  expect(told).toHaveLength(200);
  expect([told[0], told[1], told.at(-1)]).toEqual(['R600', 'R301', 'R499']);
});

test('what has ended is not told of, not even as the running one', () => {
  const ended = named(1);
  ended.clear();
  expect(namesOf([named(2), ended], ended, PLENTY_MS)).toEqual(['R2']);
});

test('without time nothing is told', () => {
  expect(namesOf([named(1), named(2)], undefined, 0)).toEqual([]);
});

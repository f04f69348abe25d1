import fc from 'fast-check';
import { expect, it } from 'vitest';
import {
  formatSpoolName,
  namePart,
  newSpoolName,
  parseSpoolName,
  type SpoolName,
  type SpoolState,
} from './spool-names.ts';

const MAX_TIME = 36 ** 9 - 1;
const time = fc.integer({ min: 0, max: MAX_TIME });
const hex = (length: number) =>
  fc.string({ unit: fc.constantFrom(...'0123456789abcdef'), minLength: length, maxLength: length });
const instance = fc.string({ unit: fc.constantFrom(...'abcXYZ019'), minLength: 1, maxLength: 40 });
const state: fc.Arbitrary<SpoolState> = fc.oneof(
  fc.constantFrom<SpoolState>({ kind: 'unfinished' }, { kind: 'ready' }, { kind: 'rejected' }, { kind: 'bad' }),
  fc.record({ kind: fc.constant('claimed' as const), claimedAt: time, claimer: instance }),
);
const name: fc.Arbitrary<SpoolName> = fc.record({
  writtenAt: time,
  destination: hex(8),
  tries: fc.integer({ min: 0, max: 1_295 }),
  instance,
  random: hex(24),
  state,
});

it('reads back every name that it writes', () => {
  fc.assert(
    fc.property(name, (value) => {
      expect(parseSpoolName(formatSpoolName(value))).toEqual(value);
    }),
  );
});

it('writes names that sort by age and fit every file system', () => {
  fc.assert(
    fc.property(name, name, (a, b) => {
      const [fileA, fileB] = [formatSpoolName(a), formatSpoolName(b)];
      if (a.writtenAt < b.writtenAt) expect(fileA < fileB).toBe(true);
      expect(fileA.length).toBeLessThan(255);
      expect(fileA).not.toMatch(/[/\\]/);
    }),
  );
});

it('reads nothing into any other name', () => {
  for (const file of ['', '.', '..', 'a.json.gz', 'README', '../x.json.gz'])
    expect(parseSpoolName(file)).toBeUndefined();
  fc.assert(
    fc.property(fc.string(), (file) => {
      expect(parseSpoolName(file)).toBeUndefined();
    }),
  );
});

it('never gives a name twice', () => {
  const names = Array.from({ length: 1_000 }, () => formatSpoolName(newSpoolName(0, '00000000', 'a')));
  expect(new Set(names).size).toBe(1_000);
});

it.each([
  ['0b7e-11', '0b7e11'],
  ['../../etc', 'etc'],
  ['', 'unnamed'],
  ['x'.repeat(100), 'x'.repeat(40)],
])('makes of the instance %j the name part %j', (given, expected) => {
  expect(namePart(given)).toBe(expected);
});

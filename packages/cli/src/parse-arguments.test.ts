import { describe, expect, test } from 'vitest';
import { parseDuration, parseSince, parseWhole } from './parse-arguments.ts';

test.each([
  ['30s', 30_000],
  ['10m', 600_000],
  ['1.5h', 5_400_000],
  ['90d', 7_776_000_000],
])('the duration %s', (text, milliseconds) => {
  expect(parseDuration(text)).toBe(milliseconds);
});

test.each(['', '10', '0s', '-1s', '10 m', '10y', '1e3s', 's'])('no duration: %j', (text) => {
  expect(() => parseDuration(text)).toThrow('It must be a duration');
});

test.each(['', ' 1', '1.5', '-1', '0x10', '11', '99999999999999999999'])('no whole number to 10: %j', (text) => {
  expect(() => parseWhole(0, 10)(text)).toThrow('It must be a whole number from 0 to 10.');
});
test('a whole number', () => {
  expect(parseWhole(0, 10)('10')).toBe(10);
});

describe('since', () => {
  const now = new Date('2026-01-31T10:00:00.000Z');
  test.each([
    ['all', { type: 'all' }],
    ['10m', { type: 'time', time: new Date('2026-01-31T09:50:00.000Z') }],
    ['2026-01-30', { type: 'time', time: new Date('2026-01-30T00:00:00.000Z') }],
    ['2026-01-31T09:30:00Z', { type: 'time', time: new Date('2026-01-31T09:30:00.000Z') }],
    ['0d0f3ad2-7f5b-4a56-8f9b-6f2f4a3f7a10', { type: 'id', id: '0d0f3ad2-7f5b-4a56-8f9b-6f2f4a3f7a10' }],
  ])('%s', (text, since) => {
    expect(parseSince(text, now)).toEqual(since);
  });
  test.each(['', '~5', 'a b', '2026-13-01', '0m'])('refused: %j', (text) => {
    expect(() => parseSince(text, now)).toThrow('It must be');
  });
});

import { describe, expect, it } from 'vitest';
import { outcomeOf, printable, retryAfterMs } from './post-outcome.ts';

const NOW = Date.UTC(2026, 0, 1);

describe('outcomeOf', () => {
  it.each([
    [200, 'acknowledged'],
    [202, 'acknowledged'],
    [400, 'rejected'],
    [413, 'rejected'],
    [422, 'rejected'],
    [401, 'unauthorized'],
    [403, 'unauthorized'],
    [429, 'busy'],
    [503, 'busy'],
    [204, 'failed'],
    [301, 'failed'],
    [307, 'failed'],
    [404, 'failed'],
    [500, 'failed'],
    [502, 'failed'],
    [504, 'failed'],
  ])('%i is %s', (status, kind) => {
    expect(outcomeOf({ status, retryAfter: undefined, text: 'why' }, NOW).kind).toBe(kind);
  });

  it('keeps the answer of a rejection, on one line', () => {
    expect(outcomeOf({ status: 400, retryAfter: undefined, text: '\u001b[31m$.id:\n  missing' }, NOW)).toEqual({
      kind: 'rejected',
      status: 400,
      answer: '[31m$.id:   missing',
    });
  });
});

describe('retryAfterMs', () => {
  it.each([
    [undefined, undefined],
    ['', undefined],
    ['0', 0],
    ['120', 120_000],
    [' 7 ', 7_000],
    ['-1', undefined],
    ['1.5', undefined],
    ['soon', undefined],
    ['99999999999', undefined],
    ['Thu, 01 Jan 2026 00:00:30 GMT', 30_000],
    ['Wed, 31 Dec 2025 23:59:59 GMT', undefined],
  ])('%j is %j ms', (header, expected) => {
    expect(retryAfterMs(header, NOW)).toBe(expected);
  });
});

it('cuts a long answer', () => {
  expect(printable('x'.repeat(1_000))).toHaveLength(300);
});

import fc from 'fast-check';
import { expect, test } from 'vitest';
import type { RecorderEntry } from './recorder-reader.ts';
import { selectEntries } from './select-entries.ts';

const entry = (number: number, over: Partial<RecorderEntry> = {}): RecorderEntry => ({
  number,
  type: 'finished',
  atMs: number,
  request: number + 1,
  label: 1,
  method: 1,
  durationMs: 0,
  beganAt: number,
  ...over,
});
const entries = (count: number) => Array.from({ length: count }, (_, i) => entry(i));

test('few are all taken', () => {
  const few = entries(10);
  expect(selectEntries(few, [], 10, 10)).toEqual(few);
});

test('never more than the limit, each once, in their order, whatever is asked for', () => {
  fc.assert(
    fc.property(
      fc.integer({ min: 0, max: 500 }),
      fc.array(fc.integer({ min: 0, max: 500 }), { maxLength: 20 }),
      fc.integer({ min: 1, max: 100 }),
      (count, begins, limit) => {
        const all = entries(count).map((each, i) => (i % 7 === 0 ? { ...each, type: 'left' as const } : each));
        const about = begins.sort((a, b) => a - b).map((beganAt, i) => ({ request: i + 1, beganAt }));
        const chosen = selectEntries(all, about, count, limit);
        expect(chosen.length).toBe(Math.min(limit, count));
        const numbers = chosen.map(({ number }) => number);
        expect(numbers).toEqual([...new Set(numbers)].sort((a, b) => a - b));
      },
    ),
  );
});

test('what finished just before the request began is there, however much has happened since', () => {
  const all = entries(10_000);
  const chosen = selectEntries(all, [{ request: 99_999, beganAt: 2_000 }], 10_000, 200).map(({ number }) => number);
  for (let number = 1_930; number < 2_010; number++) expect(chosen).toContain(number);
  expect(chosen).toContain(9_999);
});

test('its own entries and what ended badly are there, wherever they are', () => {
  const all = entries(10_000);
  all[50] = entry(50, { type: 'checkpoint', request: 77_777 });
  all[60] = entry(60, { type: 'left' });
  all[70] = entry(70, { type: 'loop-lag' });
  const chosen = selectEntries(all, [{ request: 77_777, beganAt: 5_000 }], 10_000, 200);
  expect(chosen.slice(0, 3).map(({ number }) => number)).toEqual([50, 60, 70]);
});

import { expect, test } from 'vitest';
import { distinctWaits } from './distinct-waits.ts';

test.each([
  [
    ['a', 'b'],
    ['a', 'b'],
  ],
  [
    ['a', 'b', 'a'],
    ['a', 'b'],
  ],
  [
    ['connect x:1, no answer', 'GET http://x:1/, connect x:1, no answer', 'connect x:1, no answer'],
    ['GET http://x:1/, connect x:1, no answer'],
  ],
  [['GET http://x/, sent', 'sent'], ['GET http://x/, sent']],
  [[], []],
])('%j', (labels, shown) => {
  const waits = labels.map((label, index) => ({ type: 'http', label, sinceMs: index }));
  expect(distinctWaits(waits).map(({ label }) => label)).toEqual(shown);
});

test('each label is read a bounded number of times, however many there are', () => {
  let reads = 0;
  const waits = Array.from({ length: 2_000 }, (_, index) => ({
    type: 'http',
    get label() {
      reads += 1;
      return `GET http://x/${index}, sent`;
    },
    sinceMs: 0,
  }));
  expect(distinctWaits(waits)).toHaveLength(2_000);
  expect(reads).toBeLessThan(10 * waits.length);
});

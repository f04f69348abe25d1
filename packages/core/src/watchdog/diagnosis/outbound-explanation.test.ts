import { expect, test } from 'vitest';
import { outboundExplanation } from './outbound-explanation.ts';

const wait = (type: string, sinceMs: number) => ({ type, label: `${type} ${sinceMs}`, sinceMs });

test.each<[string, [string, number][], string | undefined]>([
  ['nothing is waited for', [], undefined],
  ['a call begun with the stall', [['http', 5_000]], 'http 5000'],
  ['one within a scan of it', [['http', 4_900]], 'http 4900'],
  ['one begun long after it', [['http', 4_800]], undefined],
  ['one much older', [['database', 60_000]], 'database 60000'],
  [
    'the youngest of those that are old enough',
    [
      ['http', 60_000],
      ['redis', 5_100],
      ['dns', 1_000],
    ],
    'redis 5100',
  ],
  ['a child begun with the stall', [['child-process', 5_150]], 'child-process 5150'],
  ['a worker that has lived for long', [['worker', 60_000]], undefined],
  ['an import is for the wait-for graph', [['import', 5_000]], undefined],
  ['so is a pool', [['pool', 5_000]], undefined],
  ['what is no outbound work', [['shared-promise', 5_000]], undefined],
])('%s', (_, waits, label) => {
  expect(
    outboundExplanation(
      waits.map(([type, ms]) => wait(type, ms)),
      5_000,
      undefined,
      100,
    )?.label,
  ).toBe(label);
});

test('the clock sees a request come to stand a little after it has: a lasting one is compared with its own await as well', () => {
  expect(outboundExplanation([wait('worker', 5_400)], 5_000, 5_350, 100)?.label).toBe('worker 5400');
  expect(outboundExplanation([wait('worker', 60_000)], 5_000, 5_350, 100)).toBeUndefined();
});

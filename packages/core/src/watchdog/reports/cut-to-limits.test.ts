import { sampleDump } from '@hangwatch/protocol/sample';
import { parseDump } from '@hangwatch/protocol/validate';
import { expect, test } from 'vitest';
import { cutToLimits } from './cut-to-limits.ts';

const long = 'x'.repeat(10_000);

test('the worst that an application can put into a dump becomes one that a collector takes', () => {
  const sample = sampleDump();
  const [request] = sample.requests;
  if (request === undefined) throw new Error('the sample has a request');
  const frame = { function: long, file: `data:${long}`, line: 1, column: 1, async: true, kind: 'app' as const };
  const dump = {
    ...sample,
    verdict: { ...sample.verdict, summary: long },
    requests: [
      {
        ...request,
        route: long,
        path: long,
        checkpoint: { label: long, ageMs: 0 },
        stacks: Array.from({ length: 100 }, () => Array.from({ length: 300 }, () => frame)),
        awaits: Array.from({ length: 100 }, () => ({
          ageMs: 1,
          own: true,
          alsoAwaitedBy: Array.from({ length: 1_500 }, (_, i) => i),
        })),
        waitsFor: Array.from({ length: 1_500 }, () => ({ type: 'http', label: long, sinceMs: 1 })),
      },
    ],
  };
  expect(parseDump(dump).ok).toBe(false);
  expect(parseDump(cutToLimits(dump))).toMatchObject({ ok: true });
});

test('what is within the limits is left as it is, uncopied', () => {
  const dump = sampleDump();
  expect(cutToLimits(dump)).toBe(dump);
});

test('the dump that is cut is another one', () => {
  const dump = { ...sampleDump(), id: long };
  const cut = cutToLimits(dump);
  expect(cut.id).toHaveLength(4_096);
  expect(dump.id).toBe(long);
  expect(cut.requests).toBe(dump.requests);
});

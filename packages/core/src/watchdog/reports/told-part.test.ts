import type { DumpRequest } from '@hangwatch/protocol';
import { sampleDump } from '@hangwatch/protocol/sample';
import { expect, test } from 'vitest';
import { toldPart } from './told-part.ts';

const dump = sampleDump();
const [request] = dump.requests;
if (request === undefined) throw new Error('the sample has a request');
const many = (count: number, parts: Partial<DumpRequest> = {}): DumpRequest[] =>
  Array.from({ length: count }, (_, id) => ({ ...request, id, ...parts }));
const frames = Array.from({ length: 250 }, () => request.stacks[0]?.[0]).filter((frame) => frame !== undefined);

test('an ordinary dump is told whole', () => {
  expect(toldPart(dump)).toBe(dump);
});

test('of ten thousand requests those that come first are, and a note says how many more were sent', () => {
  const told = toldPart({ ...dump, requests: many(10_000), evidence: { complete: true, tookMs: 5, note: 'noted' } });
  expect(told.requests.length).toBeGreaterThan(50);
  expect(told.requests.length).toBeLessThan(1_000);
  expect(told.requests.map(({ id }) => id)).toEqual(told.requests.map((_, index) => index));
  expect(told.evidence).toEqual({
    complete: true,
    tookMs: 5,
    note: `noted; ${10_000 - told.requests.length} more requests are in the report that was sent`,
  });
});

test('large ones count for more, and there is always one', () => {
  const stacks = Array.from({ length: 32 }, () => frames);
  expect(toldPart({ ...dump, requests: many(10, { stacks }) }).requests).toHaveLength(1);
});

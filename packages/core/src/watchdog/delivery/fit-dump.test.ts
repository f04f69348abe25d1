import type { Dump, DumpRequest } from '@hangwatch/protocol';
import { parseDump } from '@hangwatch/protocol/validate';
import { expect, it } from 'vitest';
import { fittingJson } from './fit-dump.ts';
import { makeDump, makeRequest } from './testing/make-dump.ts';

const fitted = (dump: Dump, maxChars: number): Dump => {
  const json = fittingJson(dump, maxChars);
  expect(json.length).toBeLessThanOrEqual(maxChars);
  const parsed = parseDump(JSON.parse(json));
  if (!parsed.ok) throw new Error(JSON.stringify(parsed.issues));
  return parsed.dump;
};

/** Suspended at a line of its own. */
const at = (id: number, line: number, parts: Partial<DumpRequest> = {}): DumpRequest => ({
  ...makeRequest(id),
  stacks: [[{ function: 'wait', file: `/app/${'w'.repeat(200)}.ts`, line, column: 5, async: true, kind: 'app' }]],
  awaits: [{ ageMs: id, own: true }],
  verdict: { evidence: 'no-progress', summary: `stands still since ${id} ms` },
  ...parts,
});

it('leaves a dump that is short enough as it is', () => {
  const dump = makeDump('short', [at(1, 1), at(2, 1), at(3, 1), at(4, 1), at(5, 1)]);
  expect(fitted(dump, 100_000)).toEqual(dump);
});

it('tells requests at one place by a few of them: all are named, and whoever holds something is told in full', () => {
  const requests = Array.from({ length: 1_000 }, (_, i) =>
    at(i + 1, i % 5, i === 700 ? { holds: [{ resource: 'lock "a"', sinceMs: 1 }] } : {}),
  );
  const dump = fitted(makeDump('storm', requests), 320_000);
  expect(dump.requests.map(({ id }) => id)).toEqual(requests.map(({ id }) => id));
  expect(dump.suppressed.requests).toBe(0);
  const inFull = dump.requests.filter(({ stacks }) => stacks.length > 0);
  expect(inFull.map(({ id }) => id)).toEqual([...Array.from({ length: 15 }, (_, i) => i + 1), 701]);
  expect(dump.requests[998]).toMatchObject({ id: 999, sameAs: 4, verdict: { summary: 'stands still since 999 ms' } });
  expect(dump.evidence?.note).toBe(
    '984 requests stand where others do, and only say which, since the report would be too long',
  );
});

it('then drops the stacks of those that are not stuck', () => {
  const requests = Array.from({ length: 200 }, (_, i) => at(i + 1, i, i < 20 ? {} : { state: 'moving' }));
  const dump = fitted(makeDump('bystanders', requests), 90_000);
  expect(dump.requests).toHaveLength(200);
  expect(dump.requests.filter(({ stacks }) => stacks.length > 0).map(({ id }) => id)).toEqual(
    requests.slice(0, 20).map(({ id }) => id),
  );
  expect(dump.evidence?.note).toContain('180 requests that are not stuck are without their stacks');
});

it('then the last requests, which are counted', () => {
  const requests = Array.from({ length: 1_000 }, (_, i) => makeRequest(i, 'x'.repeat(i)));
  const dump = fitted(
    {
      ...makeDump('large', requests),
      suppressed: { dumps: 1, requests: 7 },
      evidence: { complete: true, tookMs: 3, note: 'noted' },
    },
    100_000,
  );
  expect(dump.requests.length).toBeGreaterThan(50);
  expect(dump.requests).toEqual(requests.slice(0, dump.requests.length));
  const left = 1_000 - dump.requests.length;
  expect(dump.suppressed).toEqual({ dumps: 1, requests: 7 + left });
  expect(dump.evidence).toEqual({
    complete: true,
    tookMs: 3,
    note: `noted; ${left} requests are left out, since the report would be too long`,
  });
});

it('ends even when not one request fits', () => {
  const dump = fitted(makeDump('one', [makeRequest(1, 'x'.repeat(4_000))]), 1_000);
  expect(dump.requests).toEqual([]);
  expect(dump.suppressed.requests).toBe(1);
});

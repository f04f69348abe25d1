import { gzipSync } from 'node:zlib';
import { expect, it } from 'vitest';
import { MAX_JSON_BYTES, packDump, unpackDump } from './parcel.ts';
import { makeDump, makeRequest } from './testing/make-dump.ts';

it('packs a dump so that it unpacks to the same', () => {
  const dump = makeDump('dump-1', [makeRequest(1, 'ünïcode 🚀')]);
  const parcel = packDump(dump);
  expect(parcel.label).toBe('dump-1');
  expect(unpackDump(parcel.gzip)).toEqual(dump);
});

it('keeps the first requests of a dump that is too large, and counts the others', () => {
  const requests = Array.from({ length: 1_000 }, (_, index) => makeRequest(index, 'x'.repeat(index)));
  const dump = { ...makeDump('large', requests), suppressed: { dumps: 1, requests: 7 } };
  const kept = unpackDump(packDump(dump, 100_000).gzip);
  expect(JSON.stringify(kept).length).toBeLessThanOrEqual(100_000);
  expect(kept.requests.length).toBeGreaterThan(50);
  expect(kept.requests).toEqual(requests.slice(0, kept.requests.length));
  expect(kept.suppressed).toEqual({ dumps: 1, requests: 7 + 1_000 - kept.requests.length });
});

it('ends even when not one request fits', () => {
  const kept = unpackDump(packDump(makeDump('one', [makeRequest(1, 'x'.repeat(5_000))]), 1_000).gzip);
  expect(kept.requests).toEqual([]);
  expect(kept.suppressed.requests).toBe(1);
});

it('throws at what is no parcel, and at a bomb', () => {
  expect(() => unpackDump(Buffer.from('nonsense'))).toThrow();
  expect(() => unpackDump(gzipSync('{"a":'))).toThrow();
  expect(() => unpackDump(gzipSync(Buffer.alloc(MAX_JSON_BYTES + 1)))).toThrow(/larger than/);
});

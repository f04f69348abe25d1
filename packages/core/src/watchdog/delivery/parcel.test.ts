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

it('throws at what is no parcel, and at a bomb', () => {
  expect(() => unpackDump(Buffer.from('nonsense'))).toThrow();
  expect(() => unpackDump(gzipSync('{"a":'))).toThrow();
  expect(() => unpackDump(gzipSync(Buffer.alloc(MAX_JSON_BYTES + 1)))).toThrow(/larger than/);
});

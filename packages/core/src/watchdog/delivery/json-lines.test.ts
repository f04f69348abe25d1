import { PassThrough } from 'node:stream';
import fc from 'fast-check';
import { expect, it } from 'vitest';
import { readJsonLines, writeJsonLine } from './json-lines.ts';
import { settle } from './testing/manual-clock.ts';

it('reads what was written, however it comes in pieces', async () => {
  const values = fc.array(fc.record({ text: fc.string({ unit: 'grapheme' }) }), { maxLength: 5 });
  await fc.assert(
    fc.asyncProperty(values, fc.integer({ min: 1, max: 20 }), async (sent, pieceBytes) => {
      const source = new PassThrough();
      const chunks: Buffer[] = [];
      source.on('data', (chunk: Buffer) => chunks.push(chunk));
      for (const value of sent) writeJsonLine(source, value);
      await settle();
      const bytes = Buffer.concat(chunks);
      const target = new PassThrough();
      const got: unknown[] = [];
      readJsonLines(target, (value) => got.push(value));
      for (let at = 0; at < bytes.length; at += pieceBytes) target.write(bytes.subarray(at, at + pieceBytes));
      await settle();
      expect(got).toEqual(sent);
    }),
    { numRuns: 50 },
  );
});

it('passes over lines that are not ours', async () => {
  const target = new PassThrough();
  const got: unknown[] = [];
  readJsonLines(target, (value) => got.push(value));
  target.write('libfake 1.0 loaded\n\n{"a":1}\n{"cut":');
  await settle();
  expect(got).toEqual([{ a: 1 }]);
});

import { expect, test } from 'vitest';
import { parseDump } from './parse-dump.ts';
import { sampleDump } from './sample-dump.ts';

test('the sample is valid, and each is a new one', () => {
  const first = sampleDump({ kind: 'gone' });
  const second = sampleDump();
  expect(parseDump(JSON.parse(JSON.stringify(first)))).toEqual({ ok: true, dump: first });
  expect(first.kind).toBe('gone');
  expect(first.id).not.toBe(second.id);
  first.requests.length = 0;
  expect(second.requests).toHaveLength(3);
});

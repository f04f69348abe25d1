import { gzipSync } from 'node:zlib';
import { sampleDump } from '@hangwatch/protocol/sample';
import { expect, test } from 'vitest';
import { readDumps } from './read-dumps.ts';

const bytes = (text: string) => new TextEncoder().encode(text);
const [a, b] = [sampleDump({ id: 'a' }), { ...sampleDump({ id: 'b' }), later: 1 }];

test.each([
  ['one dump', JSON.stringify(a), [a]],
  ['one dump on many lines', JSON.stringify(a, null, 2), [a]],
  ['NDJSON', `${JSON.stringify(a)}\n\n${JSON.stringify(b)}\n`, [a, b]],
  ['a byte order mark', `\ufeff${JSON.stringify(a)}`, [a]],
])('%s', async (_what, text, dumps) => {
  expect(await readDumps(bytes(text), 'f')).toEqual(dumps);
  expect(await readDumps(gzipSync(text), 'f')).toEqual(dumps);
});

test.each([
  ['nothing', ' \n', 'f is empty'],
  ['no JSON', 'hello', /^f is not JSON: /],
  ['a dump that is cut off', JSON.stringify(a, null, 2).slice(0, -5), /^f is not JSON: /],
  ['another JSON', '{"schema":"x"}', 'f is not a dump: schema must be "hangwatch.dump/1", got "x"'],
  [
    'a wrong line',
    `${JSON.stringify(a)}\n\n{}`,
    'f, line 3 is not a dump: schema must be "hangwatch.dump/1", got nothing',
  ],
  ['a broken line', `${JSON.stringify(a)}\n{`, /^f, line 2 is not JSON: /],
])('%s is refused', async (_what, text, message) => {
  await expect(readDumps(bytes(text), 'f')).rejects.toThrow(message);
});

test('broken gzip is refused', async () => {
  await expect(readDumps(gzipSync('x').subarray(0, 12), 'f')).rejects.toThrow('f cannot be decompressed');
});

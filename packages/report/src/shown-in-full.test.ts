import type { Dump, DumpRequest } from '@hangwatch/protocol';
import { sampleDump } from '@hangwatch/protocol/sample';
import { expect, test } from 'vitest';
import { isShownInFull } from './shown-in-full.ts';

const [sample] = sampleDump().requests as [DumpRequest];
const moving: DumpRequest = { ...sample, state: 'moving', stacks: [] };
const withStacks: DumpRequest = { ...moving, stacks: sample.stacks };

test.each<[boolean, string, DumpRequest, Pick<Dump, 'kind' | 'crash'>]>([
  [true, 'a stuck one', sample, { kind: 'hang' }],
  [false, 'one that moves beside it', withStacks, { kind: 'hang' }],
  [true, 'whatever somebody has asked for', moving, { kind: 'snapshot' }],
  [true, 'one that was suspended as the process ended', withStacks, { kind: 'crash', crash: { cause: 'exit' } }],
  [false, 'one of which nothing more is known', moving, { kind: 'crash', crash: { cause: 'died' } }],
  [true, 'the one whose code ran', moving, { kind: 'crash', crash: { cause: 'exit', running: moving.id } }],
])('%s: %s', (expected, _, request, dump) => {
  expect(isShownInFull(request, dump)).toBe(expected);
});

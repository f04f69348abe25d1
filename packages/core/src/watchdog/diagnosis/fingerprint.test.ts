import type { DumpFrame } from '@hangwatch/protocol';
import { expect, test } from 'vitest';
import { fingerprintOf } from './fingerprint.ts';

const frame = (over: Partial<DumpFrame>): DumpFrame => ({
  function: 'load',
  file: '/srv/src/a.ts',
  line: 3,
  column: 9,
  async: true,
  kind: 'app',
  ...over,
});
const of = (...frames: DumpFrame[]) =>
  fingerprintOf({ evidence: 'no-progress', method: 'GET', route: '/', stacks: [frames] });

test('a rebuild that names functions anew and moves them about changes nothing, where the source is known', () => {
  const one = of(frame({ function: 'a', generated: { file: '/srv/dist/x.js', line: 1, column: 400 } }));
  const other = of(frame({ function: 'b', generated: { file: '/srv/dist/y.js', line: 1, column: 7 } }));
  expect(one).toBe(other);
  expect(one).not.toBe(of(frame({ line: 4, generated: { file: '/srv/dist/x.js', line: 1, column: 400 } })));
});

test('without a source, the name counts', () => {
  expect(of(frame({ function: 'a' }))).not.toBe(of(frame({ function: 'b' })));
});

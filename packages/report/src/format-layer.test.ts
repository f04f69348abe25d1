import type { DumpLayer, DumpRequest } from '@hangwatch/protocol';
import { sampleDump } from '@hangwatch/protocol/sample';
import { describe, expect, test } from 'vitest';
import { formatDump } from './format-dump.ts';
import { layerText } from './format-layer.ts';

const request = (layer: Partial<DumpLayer> | undefined, parts: Partial<DumpRequest> = {}): DumpRequest => {
  const [first] = sampleDump().requests;
  if (first === undefined) throw new Error('the sample has a stuck request');
  const { layer: _, ...rest } = first;
  const given = layer && { label: 'handler list', file: '/srv/orders/src/a.ts', line: 7, enteredMs: 10_300, ...layer };
  return { ...rest, stacks: [], ...(given === undefined ? {} : { layer: given }), ...parts };
};

describe('how far the last layer came', () => {
  test.each<[string, Partial<DumpLayer> | undefined, string | undefined]>([
    ['none', undefined, undefined],
    ['not known', {}, undefined],
    ['running', { outcome: 'running' }, 'handler list (src/a.ts:7), entered 10.3 s ago'],
    [
      'returned',
      { outcome: 'returned', returnedMs: 10_200 },
      'handler list (src/a.ts:7), entered 10.3 s ago, returned 10.2 s ago',
    ],
    [
      'threw',
      { outcome: 'threw', returnedMs: 10_200 },
      'handler list (src/a.ts:7), entered 10.3 s ago, threw 10.2 s ago',
    ],
    [
      'pending',
      { outcome: 'pending', returnedMs: 10_200 },
      'handler list (src/a.ts:7), entered 10.3 s ago, returned 10.2 s ago, its promise is pending',
    ],
    [
      'settled',
      { outcome: 'fulfilled', returnedMs: 10_200, settledMs: 9_000 },
      'handler list (src/a.ts:7), entered 10.3 s ago, returned 10.2 s ago, finished 9 s ago',
    ],
    [
      'the chain ended',
      { outcome: 'fulfilled', settledMs: 9_000, chain: true },
      'handler list (src/a.ts:7), entered 10.3 s ago, the whole chain finished 9 s ago',
    ],
  ])('%s', (_, layer, text) => {
    expect(layerText(request(layer), '/srv/orders')).toBe(text);
  });

  test('is left to the stacks while it awaits something', () => {
    const [{ stacks } = { stacks: [] }] = sampleDump().requests;
    expect(layerText(request({ outcome: 'pending' }, { stacks }))).toBeUndefined();
  });
});

test('an error is shown with its frames, and with its message only if it came', () => {
  const error = {
    class: 'TypeError',
    frames: [
      { function: 'parse', file: '/srv/orders/src/p.ts', line: 3, column: 5, async: false, kind: 'app' as const },
    ],
  };
  const show = (message?: string) =>
    formatDump(
      sampleDump({
        requests: [request({ outcome: 'rejected' }, { error: { ...error, ...(message && { message }) } })],
      }),
    );
  expect(show()).toContain('  rejected with TypeError\n    at parse (src/p.ts:3:5)\n');
  expect(show('no such\nuser')).toContain('  rejected with TypeError: no such\\nuser\n');
  expect(show()).toContain('no await stack: nothing is awaited any more');
});

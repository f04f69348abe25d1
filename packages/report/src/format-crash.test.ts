import { sampleDump } from '@hangwatch/protocol/sample';
import { expect, test } from 'vitest';
import { formatDump } from './format-dump.ts';

const frame = {
  function: 'pay',
  file: '/srv/orders/src/pay.ts',
  line: 31,
  column: 5,
  async: false,
  kind: 'app' as const,
};
const verdict = { evidence: 'crashed' as const, summary: 'TypeError was not caught' };
const requests = sampleDump().requests.map((request) => ({ ...request, state: 'moving' as const }));

test('a crash is its sentence, the error with its frames, what was in flight and what happened before', () => {
  const crash = { cause: 'uncaught-exception' as const, exitCode: 1, error: { class: 'TypeError', frames: [frame] } };
  const text = formatDump(sampleDump({ kind: 'crash', verdict, crash, requests }));
  expect(text).toMatch(/^CRASH: TypeError was not caught\n/);
  const order = [
    '\nTypeError\n',
    'at pay (src/pay.ts:31:5)',
    'in flight (3):',
    'before it:',
    '#55 GET /orders/:id finished',
  ];
  expect(order.map((part) => [part, text.includes(part)])).toEqual(order.map((part) => [part, true]));
});

test('of a process that died without a word it is said how old what is known is', () => {
  const crash = { cause: 'died' as const, renewedEveryMs: 1_000 };
  const text = formatDump(sampleDump({ kind: 'crash', verdict, crash, requests }));
  expect(text).toContain('as it was at 2026-01-31T09:30:00.000Z; this was renewed every 1 s while it lived');
});

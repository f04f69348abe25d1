import type { DumpCrash } from '@hangwatch/protocol';
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
const requests = sampleDump().requests.map((request) => ({
  ...request,
  state: 'moving' as const,
  verdict: undefined,
  // Of one there was no time to look.
  ...(request.id === 42 ? { stacks: [], awaits: [] } : {}),
}));
const crashed = (crash: DumpCrash, evidence = { complete: false, tookMs: 3 }) =>
  formatDump(sampleDump({ kind: 'crash', verdict, crash, requests, evidence }));

/** Each of these is in the text, in this order. */
function expectInOrder(text: string, parts: readonly string[]): void {
  let at = -1;
  for (const part of parts) {
    const next = text.indexOf(part, at + 1);
    expect([part, next > at]).toEqual([part, true]);
    at = next;
  }
}

test('a crash is its sentence, the error with its frames, where requests were suspended, and what happened before', () => {
  const text = crashed({ cause: 'uncaught-exception', exitCode: 1, error: { class: 'TypeError', frames: [frame] } });
  expectInOrder(text, [
    'CRASH: TypeError was not caught\n',
    '\nTypeError\n',
    'at pay (src/pay.ts:31:5)',
    '\n#41 GET /reports  10.3 s  (moved 10.1 s ago, timeout 10 s)',
    'at async log (src/lib.ts:3:47)',
    'also in flight (',
    '#42 POST /logs/:name/flush',
    'before it:',
    '#55 GET /orders/:id finished',
    'evidence: incomplete after 3 ms',
  ]);
  expect(text).not.toContain('context');
});

test('the request in whose context it was is named, and shown even without a stack: it does not wait', () => {
  const text = crashed({ cause: 'exit', exitCode: 5, running: 42 });
  expectInOrder(text, ['in the context of #42\n', '\n#42 POST', 'no await stack: its code was running\n']);
});

test('of a process that died without a word it is said how old what is known is', () => {
  const text = crashed({ cause: 'died', renewedEveryMs: 1_000 }, { complete: false, tookMs: 0 });
  expect(text).toContain('as it was at 2026-01-31T09:30:00.000Z; this was renewed every 1 s while it lived');
  expect(text).toMatch(/^evidence: incomplete$/m);
});

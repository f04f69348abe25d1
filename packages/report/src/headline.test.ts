import { sampleDump } from '@hangwatch/protocol/sample';
import { expect, test } from 'vitest';
import { formatDump } from './format-dump.ts';
import { headline, severity } from './headline.ts';

test('an application that does not close is a warning, with every request in full', () => {
  const [stuck] = sampleDump().requests;
  if (stuck === undefined) throw new Error('the sample has a stuck request');
  const { verdict: _, ...request } = stuck;
  const dump = sampleDump({
    kind: 'shutdown',
    verdict: {
      evidence: 'not-closed',
      summary: 'app.close() has taken 10.0 s and is not done: one request is in flight',
    },
    requests: [{ ...request, state: 'moving' }],
  });
  expect([headline(dump), severity(dump)]).toEqual(['SHUTDOWN', 'warning']);
  const text = formatDump(dump);
  expect(text).toMatch(/^SHUTDOWN: app\.close\(\) has taken 10\.0 s/);
  expect(text).toContain('    at async ');
  expect(text).not.toContain('in flight (');
});

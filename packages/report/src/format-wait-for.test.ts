import type { Dump, DumpWaitFor } from '@hangwatch/protocol';
import { sampleDump } from '@hangwatch/protocol/sample';
import { expect, test } from 'vitest';
import { formatDump } from './format-dump.ts';

const edges = sampleDump().waitFor?.edges ?? [];
const deadlock = (waitFor: Partial<DumpWaitFor> = {}): Dump =>
  sampleDump({
    verdict: {
      evidence: 'proven-cycle',
      summary:
        'deadlock: GET /reports and POST /logs/:name/flush wait for each other (lock "logging", import "./feature.mjs")',
    },
    waitFor: { edges, cycles: [[0, 1]], ...waitFor },
  });

test('a deadlock is told edge by edge, and who holds what since when and from where', () => {
  const text = formatDump(deadlock());
  expect(text).toContain('DEADLOCK (proven): GET /reports and POST /logs/:name/flush wait for each other (lock');
  expect(text).toContain(
    [
      '2 requests wait for each other:',
      '  #41 GET /reports            waits for  lock "logging"          held by #42 since 10.2 s',
      '  #42 POST /logs/:name/flush  waits for  import "./feature.mjs"  held by #41 since 10.1 s',
    ].join('\n'),
  );
  expect(text).toContain('    lock "logging": held by #42 since 10.2 s, acquired at flush (src/flush.ts:12:22)');
  expect(text).toContain('  holds import "./feature.mjs" for 10.1 s');
});

test('what is no deadlock has no such list; other holders, queues and time-outs are told with the request', () => {
  const [first] = edges;
  if (first === undefined) throw new Error('the sample has edges');
  const { heldBy: _, ...edge } = first;
  const text = formatDump(
    deadlock({
      cycles: [],
      edges: [
        { ...edge, holder: 'GET /x, which has ended' },
        { ...first, ahead: true, timesOutMs: 4_000 },
      ],
    }),
  );
  expect(text).not.toContain('wait for each other:');
  expect(text).toContain('    lock "logging": held by GET /x, which has ended since 10.2 s, acquired at');
  expect(text).toContain(
    '    lock "logging": behind #42 in its queue, acquired at flush (src/flush.ts:12:22), gives up in 4 s',
  );
});

test('one that waits for itself, requests that the dump does not have, and more than is shown', () => {
  const itself = { request: 41, waitsFor: 'pool "pg"', heldBy: 41, sinceMs: 1 };
  const gone = { request: 99, waitsFor: 'lock "x"', heldBy: 99, sinceMs: 1 };
  const text = formatDump(deadlock({ edges: [itself, gone], cycles: [[0], [1], [0], [1], [0], [7]] }));
  expect(text).toContain('1 request waits for itself:\n  #41 GET /reports  waits for  pool "pg"  held by #41');
  expect(text).toContain('  #99  waits for  lock "x"  held by #99');
  expect(text).toContain('… 2 more deadlocks');
});

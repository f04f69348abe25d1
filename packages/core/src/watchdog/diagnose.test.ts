import type { DumpFrame } from '@hangwatch/protocol';
import { describe, expect, test } from 'vitest';
import type { RequestEvidence } from '../shared/worker-protocol.ts';
import { type Case, diagnose } from './diagnose.ts';

const frame: DumpFrame = { function: 'log', file: '/app/lib.ts', line: 3, column: 47, async: true, kind: 'app' };
const evidence = (parts: Partial<RequestEvidence> = {}): RequestEvidence => ({
  slot: 0,
  generation: 1,
  method: 'GET',
  route: '/r',
  path: '/r',
  requestId: undefined,
  traceId: undefined,
  checkpoint: { label: 'handler', file: '/app/routes.ts', line: 7 },
  trail: [],
  stacks: [[frame]],
  awaits: [],
  omittedAwaits: 0,
  youngestOwnMs: 2_000,
  waitsFor: [],
  openEnded: false,
  ...parts,
});
const facts = (parts: Partial<Case>): Case => ({
  suspicion: 'moving',
  timeoutMs: 1_000,
  idleMs: 0,
  stalledMs: 5_000,
  outboundIdleMs: 5_000,
  elapsedMs: 6_000,
  toleranceMs: 100,
  cwd: '/app',
  evidence: evidence(),
  ...parts,
});

const table: [string, Partial<Case>, string][] = [
  ['nothing moves', { suspicion: 'still', idleMs: 1_000 }, 'no-progress'],
  [
    'nothing moves and the main thread is silent',
    { suspicion: 'still', idleMs: 1_000, evidence: undefined },
    'no-progress',
  ],
  ['an event stream is silent', { suspicion: 'still', evidence: evidence({ openEnded: true }) }, 'acquitted for 1000'],
  ['own chain stands still, the rest moves', {}, 'chain-stalled'],
  ['own chain moved a moment ago', { evidence: evidence({ youngestOwnMs: 200 }) }, 'acquitted for 900'],
  [
    'own chain as old as the timeout, but for the clock',
    { evidence: evidence({ youngestOwnMs: 1_050 }) },
    'acquitted for 50',
  ],
  [
    'its own await was the last thing that moved',
    { idleMs: 950, evidence: evidence({ youngestOwnMs: 1_120 }) },
    'acquitted for 50',
  ],
  ['no own chain, no outbound call finished', { evidence: evidence({ youngestOwnMs: undefined }) }, 'chain-stalled'],
  [
    'no own chain, an outbound call finished',
    { evidence: evidence({ youngestOwnMs: undefined }), outboundIdleMs: 300 },
    'acquitted for 700',
  ],
  ['moves, and the main thread is silent', { evidence: undefined }, 'acquitted for 1000'],
  ['older than its longest duration', { suspicion: 'slow' }, 'slow'],
];

describe('one request', () => {
  test.each(table)('%s', (_, parts, expected) => {
    const judgement = diagnose(facts(parts));
    expect(judgement.stuck ? judgement.verdict.evidence : `acquitted for ${judgement.againInMs}`).toBe(expected);
  });

  test('says where it is suspended and what for', () => {
    const judgement = diagnose(
      facts({
        suspicion: 'still',
        idleMs: 10_100,
        evidence: evidence({
          waitsFor: [{ type: 'http', label: 'GET http://127.0.0.1:9/x, no response headers', sinceMs: 10_000 }],
        }),
      }),
    );
    expect(judgement).toEqual({
      stuck: true,
      verdict: {
        evidence: 'no-progress',
        summary:
          'has made no progress for 10.1 s: suspended in log (lib.ts:3:47), waiting for GET http://127.0.0.1:9/x, no response headers',
      },
    });
  });

  test('without an await, the last checkpoint is the place', () => {
    const judgement = diagnose(facts({ suspicion: 'still', idleMs: 1_000, evidence: evidence({ stacks: [] }) }));
    expect(judgement.stuck && judgement.verdict.summary).toBe(
      'has made no progress for 1.0 s since handler (routes.ts:7); no await is pending',
    );
  });
});

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
const call = (sinceMs: number) => ({ type: 'http', label: 'GET http://127.0.0.1:9/x', sinceMs });
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
  [
    'nothing moves since an outbound call began',
    { suspicion: 'still', idleMs: 1_000, evidence: evidence({ waitsFor: [call(1_000)] }) },
    'waiting-outbound',
  ],
  [
    'nothing moves, and an outbound call began later',
    { suspicion: 'still', idleMs: 1_000, evidence: evidence({ waitsFor: [call(500)] }) },
    'no-progress',
  ],
  [
    'own chain stands still since an outbound call began, the rest moves',
    { evidence: evidence({ waitsFor: [call(2_000)] }) },
    'waiting-outbound',
  ],
  [
    'own chain stands still, and the rest makes calls',
    { evidence: evidence({ waitsFor: [call(300)] }) },
    'chain-stalled',
  ],
  ['slow, and calling', { suspicion: 'slow', evidence: evidence({ waitsFor: [call(2_000)] }) }, 'slow'],
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
          waitsFor: [{ type: 'import', label: 'import ./feature.mjs', sinceMs: 10_000 }],
        }),
      }),
    );
    expect(judgement).toEqual({
      stuck: true,
      verdict: {
        evidence: 'no-progress',
        summary: 'has made no progress for 10.1 s: suspended in log (lib.ts:3:47), waiting for import ./feature.mjs',
      },
    });
  });

  test('names the outbound call that explains it, how far it got and for how long', () => {
    const judgement = diagnose(
      facts({
        suspicion: 'still',
        idleMs: 10_100,
        evidence: evidence({
          waitsFor: [{ type: 'http', label: 'GET http://127.0.0.1:9/x, sent, no response headers', sinceMs: 10_000 }],
        }),
      }),
    );
    expect(judgement).toEqual({
      stuck: true,
      verdict: {
        evidence: 'waiting-outbound',
        summary:
          'has been waiting for 10.0 s for GET http://127.0.0.1:9/x, sent, no response headers: suspended in log (lib.ts:3:47)',
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

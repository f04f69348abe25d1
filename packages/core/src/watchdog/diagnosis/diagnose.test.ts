import type { DumpFrame, DumpLayer, Evidence } from '@hangwatch/protocol';
import { describe, expect, test } from 'vitest';
import type { ClientEvidence, RequestEvidence } from '../../shared/worker-protocol.ts';
import { type Case, diagnose } from './diagnose.ts';

const frame: DumpFrame = { function: 'log', file: '/app/lib.ts', line: 3, column: 47, async: true, kind: 'app' };
const evidence = (parts: Partial<RequestEvidence> = {}): RequestEvidence => ({
  slot: 0,
  generation: 1,
  takenAtMs: 0,
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

const waiting = (sinceMs: number, proven = false) => ({
  verdict: {
    evidence: proven ? ('proven-cycle' as const) : ('pool-exhausted' as const),
    summary: 'waits for pool "pg"',
  },
  sinceMs,
  proven,
});

const table: [string, Partial<Case>, string][] = [
  ['a deadlock is one, whatever else is seen', { waiting: waiting(10, true), evidence: undefined }, 'proven-cycle'],
  [
    'nothing moves since it waits for a pool',
    { suspicion: 'still', idleMs: 1_000, waiting: waiting(950) },
    'pool-exhausted',
  ],
  [
    'nothing moves, and it began to wait for a pool later',
    { suspicion: 'still', idleMs: 1_000, waiting: waiting(500) },
    'no-progress',
  ],
  ['own chain stands still since it waits for a pool', { waiting: waiting(2_000) }, 'pool-exhausted'],
  [
    'an event stream that waits for a pool',
    { suspicion: 'still', waiting: waiting(2_000), evidence: evidence({ openEnded: true }) },
    'acquitted for 1000',
  ],
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

const done: DumpLayer = {
  label: 'handler list',
  file: '/app/users.ts',
  line: 7,
  enteredMs: 10_300,
  returnedMs: 10_200,
  settledMs: 10_100,
  outcome: 'fulfilled',
};
const entered: DumpLayer = { label: 'middleware auth', file: '/app/auth.ts', line: 12, enteredMs: 10_300 };
const returned: DumpLayer = { ...entered, outcome: 'returned', returnedMs: 10_200 };
const client = (parts: Partial<ClientEvidence> = {}): ClientEvidence => ({
  begun: false,
  answered: false,
  sinceMs: 10_000,
  unreadBytes: 0,
  ...parts,
});
const silent = { stacks: [], youngestOwnMs: undefined, outstanding: 0, client: client() };
const upstream = { type: 'http', label: 'GET http://127.0.0.1:9/x, no response headers', sinceMs: 10_000 };

describe('nothing moves, and', () => {
  test.each<[string, Partial<RequestEvidence>, Evidence, string]>([
    [
      'the handler has finished',
      { ...silent, layer: done },
      'no-response',
      'is not answered: handler list (users.ts:7) finished 10.1 s ago',
    ],
    [
      'the handler has finished in the middle of its response',
      { ...silent, layer: done, client: client({ begun: true }) },
      'no-response',
      'has begun its response and not ended it: handler list (users.ts:7) finished 10.1 s ago',
    ],
    [
      'the handler has finished, while something that it started is suspended',
      { ...silent, layer: done, outstanding: 2, stacks: [[frame]] },
      'no-response',
      'is not answered: handler list (users.ts:7) finished 10.1 s ago; other work in its context is suspended in log (lib.ts:3:47)',
    ],
    [
      'the handler was rejected',
      {
        ...silent,
        layer: { ...done, outcome: 'rejected' },
        error: { class: 'TypeError', frames: [{ ...frame, function: 'parse', async: false }] },
      },
      'no-response',
      'is not answered: handler list (users.ts:7) was rejected 10.1 s ago with TypeError, made in parse (lib.ts:3:47)',
    ],
    [
      'the handler was rejected, and messages are asked for',
      { ...silent, layer: { ...done, outcome: 'rejected' }, error: { class: 'E', frames: [], message: 'no "x"' } },
      'no-response',
      'is not answered: handler list (users.ts:7) was rejected 10.1 s ago with E "no \\"x\\""',
    ],
    [
      'the chain has ended',
      { ...silent, layer: { ...entered, outcome: 'fulfilled', settledMs: 9_000, chain: true } },
      'no-response',
      'is not answered: the chain of middleware ended 9.0 s ago; middleware auth (auth.ts:12) was entered last',
    ],
    [
      'the last layer has returned',
      { ...silent, layer: returned },
      'no-response',
      'is not answered: middleware auth (auth.ts:12) returned 10.2 s ago, and nothing was entered after it',
    ],
    [
      'the last layer has thrown',
      { ...silent, layer: { ...returned, outcome: 'threw' } },
      'no-response',
      'is not answered: middleware auth (auth.ts:12) threw 10.2 s ago',
    ],
    [
      'the last layer has returned, and something that it started is suspended',
      { ...silent, layer: returned, outstanding: 1, stacks: [[frame]] },
      'no-progress',
      'has made no progress for 10.1 s: suspended in log (lib.ts:3:47)',
    ],
    [
      'the last layer has returned, and awaits are outstanding that nothing is known of',
      { ...silent, layer: returned, outstanding: 1 },
      'no-progress',
      'has made no progress for 10.1 s since handler (routes.ts:7)',
    ],
    [
      'the last layer has returned, and an upstream may still answer it',
      { ...silent, layer: returned, waitsFor: [upstream] },
      'waiting-outbound',
      'has stood still for 10.1 s, with GET http://127.0.0.1:9/x, no response headers, under way for 10.0 s: middleware auth (auth.ts:12) returned 10.2 s ago, and nothing was entered after it',
    ],
    [
      'the handler returned a promise behind which is no await',
      { ...silent, layer: { ...returned, outcome: 'pending' }, outstanding: 1 },
      'no-progress',
      'has made no progress for 10.1 s: middleware auth (auth.ts:12) returned a promise 10.2 s ago that has not settled',
    ],
    [
      'what the last layer came to is not known',
      { ...silent, layer: entered },
      'no-progress',
      'has made no progress for 10.1 s since handler (routes.ts:7); no await is pending',
    ],
    [
      'nobody waits for an answer: a task',
      { ...silent, client: undefined, layer: done },
      'no-progress',
      'has made no progress for 10.1 s: handler list (users.ts:7) finished 10.1 s ago',
    ],
    [
      'the response is written, and waits for one before it',
      { ...silent, layer: done, client: client({ begun: true, answered: true }) },
      'no-progress',
      'has made no progress for 10.1 s: handler list (users.ts:7) finished 10.1 s ago',
    ],
    [
      'the upload does not arrive',
      { ...silent, layer: returned, client: client({ upload: { got: 612, announced: 10_000 } }) },
      'client-stalled',
      'waits for its client to send: 612 of 10,000 bytes of its body have come, and no more for 10.0 s',
    ],
    [
      'a chunked upload does not arrive',
      { client: client({ upload: { got: 612, announced: undefined } }) },
      'client-stalled',
      'waits for its client to send: 612 bytes of its body have come, and no more for 10.0 s',
    ],
    [
      'the response is not read',
      { ...silent, layer: done, client: client({ begun: true, answered: true, unreadBytes: 65_536 }) },
      'client-stalled',
      'waits for its client to read: its response is written to the end, and 65,536 bytes of it have not been taken for 10.0 s',
    ],
  ])('%s', (_, parts, expected, summary) => {
    const judgement = diagnose(facts({ suspicion: 'still', idleMs: 10_100, evidence: evidence(parts) }));
    expect(judgement).toEqual({ stuck: true, verdict: { evidence: expected, summary } });
  });

  test('what moves and does not end is told with the places between which it alternates', () => {
    const seenAt = [7, 9, 11].map((line) => ({ frame: { ...frame, line, function: `f${line}` }, times: 3 }));
    const said = (places: typeof seenAt, seenByTurns = true) =>
      diagnose(facts({ suspicion: 'slow', evidence: evidence({ seenAt: places, seenByTurns }) }));
    expect(said(seenAt)).toMatchObject({
      verdict: {
        evidence: 'slow',
        summary:
          'moves, and has not finished after 6.0 s: seen by turns in f7 (lib.ts:7:47) and f9 (lib.ts:9:47) and 1 more',
      },
    });
    expect(said(seenAt, false)).toMatchObject({
      verdict: { summary: expect.stringContaining('after 6.0 s: seen in f7 (lib.ts:7:47) and f9') },
    });
    expect(said(seenAt.slice(0, 1))).toMatchObject({
      verdict: { summary: 'moves, and has not finished after 6.0 s: suspended in log (lib.ts:3:47)' },
    });
  });

  test('what goes on in the context of a request whose handler has finished may answer it: the weaker class', () => {
    const judgement = diagnose(facts({ evidence: evidence({ ...silent, layer: done }) }));
    expect(judgement).toEqual({
      stuck: true,
      verdict: {
        evidence: 'chain-stalled',
        summary: 'is not answered: handler list (users.ts:7) finished 10.1 s ago; promises in its context go on',
      },
    });
  });
});

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
          'has stood still for 10.1 s, with GET http://127.0.0.1:9/x, sent, no response headers, under way for 10.0 s: suspended in log (lib.ts:3:47)',
      },
    });
  });

  test('without an await, the last checkpoint is the place', () => {
    const said = (parts: Partial<RequestEvidence>) => {
      const judgement = diagnose(facts({ suspicion: 'still', idleMs: 1_000, evidence: evidence(parts) }));
      return judgement.stuck && judgement.verdict.summary;
    };
    expect(said({ stacks: [], outstanding: 0 })).toBe(
      'has made no progress for 1.0 s since handler (routes.ts:7); no await is pending',
    );
    expect(said({ stacks: [] })).toBe('has made no progress for 1.0 s since handler (routes.ts:7)');
  });
});

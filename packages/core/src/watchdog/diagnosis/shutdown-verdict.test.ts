import { describe, expect, test } from 'vitest';
import type { RequestEvidence } from '../../shared/worker-protocol.ts';
import type { Watched } from '../table/scanner.ts';
import { emptyReading } from '../table/table-reader.ts';
import { shutdownVerdict } from './shutdown-verdict.ts';

const closing = { what: 'app.close()', sinceMs: 10_040 };
const NOW_MS = 60_000;

const watched = (slot: number, startMs: number): Watched => ({
  slot,
  generation: 1,
  reading: { ...emptyReading(), startMs, timeoutMs: 10_000 },
  movedAtMs: NOW_MS - 3_000,
  advancedAtMs: startMs,
  outboundAtMs: startMs,
  lookAtMs: 0,
  heldUntilMs: 0,
  actedOn: false,
  episode: undefined,
});

const evidence = (slot: number, route: string, parts: Partial<RequestEvidence> = {}): [number, RequestEvidence] => [
  slot,
  {
    slot,
    generation: 1,
    takenAtMs: 0,
    method: 'GET',
    route,
    path: route,
    requestId: undefined,
    traceId: undefined,
    checkpoint: { label: 'handler' },
    trail: [],
    stacks: [[{ function: 'query', file: '/app/src/db.ts', line: 3, column: 5, async: true, kind: 'app' }]],
    awaits: [],
    omittedAwaits: 0,
    youngestOwnMs: 3_000,
    waitsFor: [],
    openEnded: false,
    ...parts,
  },
];

function verdict(
  inFlight: readonly Watched[],
  known: readonly [number, RequestEvidence][],
  resources: Record<string, number> = {},
) {
  const settings = { scanIntervalMs: 100, cwd: '/app' };
  return shutdownVerdict({ closing, inFlight, evidence: new Map(known), resources, nowMs: NOW_MS }, settings);
}

describe('with requests in flight', () => {
  test('the oldest is named, with where it stands', () => {
    const { summary, evidence: kind } = verdict(
      [watched(0, 20_000), watched(1, 50_000)],
      [evidence(0, '/export'), evidence(1, '/other')],
    );
    expect(kind).toBe('not-closed');
    expect(summary).toBe(
      'app.close() has taken 10.0 s and is not done: 2 requests are in flight; the oldest, GET /export for 40.0 s, which has made no progress for 3.0 s: suspended in query (src/db.ts:3:5)',
    );
  });

  test('an event stream, which never ends by itself, is named only where there is nothing else', () => {
    const stream = evidence(0, '/events', { openEnded: true });
    expect(verdict([watched(0, 20_000), watched(1, 50_000)], [stream, evidence(1, '/other')]).summary).toMatch(
      /the oldest, GET \/other for 10\.0 s, .*; 1 of them is an event stream or upgraded$/,
    );
    expect(verdict([watched(0, 20_000)], [stream]).summary).toBe(
      'app.close() has taken 10.0 s and is not done: one request is in flight, GET /events for 40.0 s, which is an event stream or an upgraded connection: it ends when one of its sides closes it',
    );
  });

  test('of which the main thread says nothing, that is said', () => {
    expect(verdict([watched(0, 20_000)], []).summary).toContain('the main thread did not answer');
  });

  test('the fingerprint is that of what closes and of the routes, whichever is older', () => {
    const both = [evidence(0, '/a'), evidence(1, '/b')];
    const one = verdict([watched(0, 20_000), watched(1, 50_000)], both).fingerprint;
    expect(verdict([watched(1, 30_000), watched(0, 40_000)], both).fingerprint).toBe(one);
    expect(verdict([watched(0, 20_000)], both).fingerprint).not.toBe(one);
  });
});

test('with none, what keeps the process is counted, in words where there are any', () => {
  expect(verdict([], [], { Timeout: 1, TCPSocketWrap: 3, Strange: 2 }).summary).toBe(
    'app.close() has taken 10.0 s and is not done: no request is in flight; the process is kept by 3 connections (TCPSocketWrap), 2 Strange, 1 timer (Timeout)',
  );
  expect(verdict([], []).summary).toContain('nothing that keeps the process is seen');
  const many = Object.fromEntries(Array.from({ length: 12 }, (_, i) => [`Kind${i}`, 1]));
  expect(verdict([], [], many).summary).toMatch(/, 4 more kinds$/);
});

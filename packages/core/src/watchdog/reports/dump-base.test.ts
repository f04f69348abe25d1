import { expect, test } from 'vitest';
import type { RequestEvidence } from '../../shared/worker-protocol.ts';
import type { Watched } from '../table/scanner.ts';
import { emptyReading } from '../table/table-reader.ts';
import { testingDumpBase } from './testing/dump-base.ts';

const watched: Watched = {
  slot: 3,
  generation: 1,
  reading: { ...emptyReading(), generation: 1, startMs: 1_000, checkpointMs: 2_000, timeoutMs: 500 },
  movedAtMs: 2_500,
  advancedAtMs: 2_500,
  outboundAtMs: 2_500,
  lookAtMs: 0,
  heldUntilMs: 0,
  episode: undefined,
  actedOn: false,
};

const evidence = (parts: Partial<RequestEvidence> = {}): RequestEvidence => ({
  slot: 3,
  generation: 1,
  takenAtMs: 5_000,
  method: 'GET',
  route: '/r',
  path: '/r',
  requestId: undefined,
  traceId: undefined,
  checkpoint: { label: 'handler' },
  trail: [{ label: 'handler', ageMs: 3_000 }],
  stacks: [],
  awaits: [],
  omittedAwaits: 0,
  youngestOwnMs: undefined,
  waitsFor: [],
  openEnded: false,
  ...parts,
});

const ages = (known: RequestEvidence | undefined, nowMs: number) => {
  const { elapsedMs, idleMs, checkpoint, trail } = testingDumpBase().request(watched, known, nowMs);
  return { elapsedMs, idleMs, checkpointMs: checkpoint.ageMs, trailMs: trail?.map(({ ageMs }) => ageMs) };
};

test('all ages of a request count from the moment at which its evidence was taken', () => {
  const then = { elapsedMs: 4_000, idleMs: 2_500, checkpointMs: 3_000, trailMs: [3_000] };
  expect(ages(evidence(), 5_000)).toEqual(then);
  expect(ages(evidence(), 7_300)).toEqual(then);
});

test('without evidence, or with that of an earlier request in its slot, they count from now', () => {
  const now = { elapsedMs: 6_000, idleMs: 4_500, checkpointMs: 5_000, trailMs: undefined };
  expect(ages(undefined, 7_000)).toEqual(now);
  expect(ages(evidence({ generation: 7 }), 7_000)).toEqual(now);
});

test('evidence that was taken after the table was read counts as taken now', () => {
  expect(ages(evidence({ takenAtMs: 5_020 }), 5_000)).toMatchObject({ elapsedMs: 4_000, idleMs: 2_500 });
});

test('on a clock that has wrapped', () => {
  const late = {
    ...watched,
    movedAtMs: 2 ** 32,
    reading: { ...watched.reading, startMs: 2 ** 32 - 1_000, checkpointMs: 2 ** 32 - 500 },
  };
  const nowMs = 2 ** 32 + 2_000;
  const { elapsedMs, checkpoint } = testingDumpBase().request(late, evidence({ takenAtMs: 1_000 }), nowMs);
  expect([elapsedMs, checkpoint.ageMs]).toEqual([2_000, 1_500]);
});

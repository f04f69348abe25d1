import type { Dump, DumpCrash } from '@hangwatch/protocol';
import fc from 'fast-check';
import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest';
import { unpackRefs } from '../shared/packed-refs.ts';
import { RECORD_FINISHED } from '../shared/recorder-layout.ts';
import {
  FLAG_NOTIFY,
  FLAG_REPORTED,
  FLAG_STAGED,
  HEADER_CELLS,
  kBeat,
  kBeatAsked,
  kClockMs,
  kInFlight,
  kParked,
  kRecordKept,
  kRunning,
  kUnseenEnds,
} from '../shared/slot-layout.ts';
import { type RequestEvidence, type ToMain, WORKER_PROTOCOL_VERSION } from '../shared/worker-protocol.ts';
import type { BlockProbe } from './blocked-loop/block-probe.ts';
import { mapPlaces } from './source-maps/map-places.ts';
import { Scanner } from './table/scanner.ts';
import { TestingRecorder } from './table/testing-recorder.ts';
import { TestingTable } from './table/testing-table.ts';
import { WatchLoop, type WatchLoopParts } from './watch-loop.ts';

/** Of the blocked thread nothing can be seen. */
const NO_PROBE: BlockProbe = {
  readKernel: () => undefined,
  readSleep: () => ({ cause: 'unknown', what: 'sleeps' }),
  debuggerAttached: () => false,
  takeStack: undefined,
  whyNoStack: 'no stack',
  mayHang: () => false,
};

/** A main thread that answers, or does not, and a watchdog beside it on a clock that the test moves. */
function setUp(
  options: {
    answers?: boolean;
    scanIntervalMs?: number;
    evidence?: (slot: number) => Partial<RequestEvidence>;
    /** While evidence is being gathered. */
    meanwhile?: () => void;
    answersBeats?: () => boolean;
    sources?: WatchLoopParts['sources'];
    keepsRecord?: boolean;
    blockedLoopMs?: number;
    blockProbe?: BlockProbe;
  } = {},
) {
  const header = new Uint32Array(new SharedArrayBuffer(HEADER_CELLS * 4));
  const table = new TestingTable();
  const dumps: Dump[] = [];
  const records: (Dump | undefined)[] = [];
  const posted: Dump[] = [];
  const asked: ToMain['type'][] = [];
  /** Requests that evidence was asked of, for each time that it was. */
  const gathered: number[] = [];
  const generations = new Map<number, number>();
  const evidenceOf = (slot: number): RequestEvidence => ({
    slot,
    generation: generations.get(slot) ?? 0,
    takenAtMs: header[kClockMs] ?? 0,
    method: 'GET',
    route: `/r${slot}`,
    path: `/r${slot}`,
    requestId: undefined,
    traceId: undefined,
    checkpoint: { label: 'handler' },
    trail: [],
    stacks: [[{ function: 'wait', file: '/app/wait.ts', line: slot + 1, column: 5, async: true, kind: 'app' }]],
    awaits: [{ ageMs: 1_000, own: true, alsoAwaitedBy: [] }],
    omittedAwaits: 0,
    youngestOwnMs: 5_000,
    waitsFor: [],
    openEnded: false,
    ...options.evidence?.(slot),
  });
  const recorder = new TestingRecorder(64);
  const loop = new WatchLoop({
    settings: {
      version: WORKER_PROTOCOL_VERSION,
      header: header.buffer as SharedArrayBuffer,
      scanIntervalMs: options.scanIntervalMs ?? 100,
      recorder: recorder.buffer,
      evidenceWaitMs: 500,
      collectors: [],
      token: undefined,
      spoolDir: undefined,
      service: 'shop',
      serviceVersion: '1.0.0',
      hangwatchVersion: '0.1.0',
      instance: 'i-1',
      hostname: 'h',
      pid: 1,
      threadId: 0,
      kernelThread: undefined,
      clusterWorker: undefined,
      poolSize: 4,
      helperPoolSize: 4,
      blockedLoopMs: options.blockedLoopMs ?? 0,
      blockedLoopStack: true,
      pauses: { everyMs: 60_000, share: 0.01 },
      cwd: '/app',
      nodeVersion: 'v20.20.0',
      noAwaitStacks: undefined,
      startedAtMs: Date.now(),
      notifyHang: false,
      keepsRecord: options.keepsRecord ?? true,
    },
    monotonicMs: () => Date.now(),
    deliver: (dump) => dumps.push(dump),
    keepRecord: (dump) => records.push(dump),
    async postNow(dump) {
      posted.push(dump);
      return { ok: true, collector: 'http://collector' };
    },
    blockProbe: options.blockProbe ?? NO_PROBE,
    sources: options.sources ?? { map: async (value) => ({ value, note: undefined }), close: () => undefined },
    post(message) {
      asked.push(message.type);
      if (message.type === 'beat' && options.answersBeats?.() === true)
        Atomics.store(header, kBeat, Atomics.load(header, kBeatAsked));
      if (options.answers === false) return;
      if (message.type === 'look') {
        const results = message.slots.map((ref) => ({ ...ref, youngestOwnMs: evidenceOf(ref.slot).youngestOwnMs }));
        loop.receive({ type: 'look', id: message.id, results });
      }
      if (message.type === 'gather') {
        const slots = message.only ? [...unpackRefs(message.stuck)].map(({ slot }) => slot) : [...generations.keys()];
        gathered.push(slots.length);
        options.meanwhile?.();
        loop.receive({ type: 'evidence-part', id: message.id, requests: slots.map(evidenceOf) });
        loop.receive({
          type: 'evidence-end',
          id: message.id,
          eventLoop: { delayP99Ms: 1, utilization: 0.5 },
          resources: { Timeout: 2 },
          tookMs: 3,
        });
      }
    },
  });
  loop.receive({ type: 'segment', index: 0, buffer: table.buffer });
  loop.start();
  return {
    header,
    table,
    dumps,
    posted,
    asked,
    gathered,
    records,
    loop,
    evidenceOf,
    recorder,
    enter(slot: number, parts: Parameters<TestingTable['enter']>[1] = {}) {
      generations.set(slot, table.enter(slot, { startMs: header[kClockMs] ?? 0, ...parts }));
      Atomics.add(header, kInFlight, 1);
      return generations.get(slot) ?? 0;
    },
    leave(slot: number, finished = true) {
      if ((table.flags(slot) & FLAG_REPORTED) !== 0) {
        loop.receive({ type: 'left', slot, generation: generations.get(slot) ?? 0, finished, elapsedMs: 1_500 });
      }
      table.leave(slot);
      generations.delete(slot);
      Atomics.sub(header, kInFlight, 1);
    },
  };
}

beforeEach(() => {
  vi.useFakeTimers();
});
afterEach(() => {
  vi.useRealTimers();
});

test('a debugger at a breakpoint: nothing is reported, neither meanwhile nor when everybody goes on', async () => {
  const attached = { is: true };
  const { dumps, header, table, enter } = setUp({
    blockedLoopMs: 300,
    blockProbe: { ...NO_PROBE, debuggerAttached: () => attached.is },
    answersBeats: () => !attached.is,
  });
  enter(0, { timeoutMs: 10_000 });
  await vi.advanceTimersByTimeAsync(60_000);
  attached.is = false;
  Atomics.store(header, kBeat, Atomics.load(header, kBeatAsked));
  await vi.advanceTimersByTimeAsync(8_000);
  table.advance(0);
  await vi.advanceTimersByTimeAsync(2_000);
  expect(dumps).toEqual([]);
  await vi.advanceTimersByTimeAsync(9_000);
  expect(dumps).toHaveLength(1);
});

describe('the last record', () => {
  test('is kept while a request is old, which the main thread can see, until the process ends quietly', async () => {
    const { header, records, enter, leave, loop } = setUp();
    enter(0, { timeoutMs: 10_000 });
    await vi.advanceTimersByTimeAsync(4_000);
    expect([records.length, header[kRecordKept]]).toEqual([0, 0]);
    await vi.advanceTimersByTimeAsync(1_300);
    expect([records.length, header[kRecordKept]]).toEqual([1, 1]);
    leave(0);
    await vi.advanceTimersByTimeAsync(100);
    expect([records.at(-1), header[kRecordKept]]).toEqual([undefined, 0]);
    enter(1, { timeoutMs: 1_000 });
    loop.endQuietly();
    await vi.advanceTimersByTimeAsync(5_000);
    expect(records).toHaveLength(2);
  });

  test('counts as kept while the table is read, and until it has been asked to be forgotten: an exit meanwhile waits', async () => {
    const { header, records, enter, leave } = setUp();
    const during: unknown[] = [];
    const scan = Scanner.prototype.scan;
    const reading = vi.spyOn(Scanner.prototype, 'scan').mockImplementation(function (this: Scanner, nowMs) {
      during.push(header[kRecordKept]);
      return scan.call(this, nowMs);
    });
    const push = vi.spyOn(records, 'push').mockImplementation((dump) => {
      during.push(dump === undefined ? 'forgotten' : 'kept', header[kRecordKept]);
      return 0;
    });
    enter(0, { timeoutMs: 500 });
    await vi.advanceTimersByTimeAsync(100);
    expect([during.splice(0), header[kRecordKept]]).toEqual([[1], 0]);
    await vi.advanceTimersByTimeAsync(200);
    expect([during.splice(0), header[kRecordKept]]).toEqual([[1, 1, 'kept', 1], 1]);
    leave(0);
    await vi.advanceTimersByTimeAsync(100);
    expect([during.splice(0), header[kRecordKept]]).toEqual([[1, 'forgotten', 1], 0]);
    reading.mockRestore();
    push.mockRestore();
  });

  test('is renewed in time also when a scan comes out of turn', async () => {
    const { records, enter, loop } = setUp({ scanIntervalMs: 1_000 });
    enter(0, { timeoutMs: 20_000 });
    await vi.advanceTimersByTimeAsync(10_000);
    expect(records).toHaveLength(1);
    await vi.advanceTimersByTimeAsync(400);
    loop.scan();
    await vi.advanceTimersByTimeAsync(600);
    expect(records).toHaveLength(2);
  });

  test('is not kept in a thread of the application: its end is not that of the process', async () => {
    const { header, records, enter, loop } = setUp({ keepsRecord: false });
    enter(0, { timeoutMs: 1_000 });
    await vi.advanceTimersByTimeAsync(2_000);
    expect([records, header[kRecordKept]]).toEqual([[], 0]);
    await loop.stop();
  });
});

describe('the end of the process', () => {
  const crash = {
    cause: 'uncaught-exception',
    exitCode: 1,
    running: 2,
    error: {
      class: 'TypeError',
      frames: [{ function: 'pay', file: '/app/pay.js', line: 41, column: 5, async: false, kind: 'app' }],
    },
  } satisfies DumpCrash;
  const end = (requests: readonly RequestEvidence[], parts: { crash?: DumpCrash; deadlineMs?: number } = {}) =>
    ({ type: 'crash', crash, evidence: { requests, tookMs: 3 }, deadlineMs: 250, ...parts }) as const;

  test('is told with where requests were suspended, the running one first, in places of the sources', async () => {
    const { dumps, enter, loop, evidenceOf } = setUp({
      sources: {
        map: async (value) => ({
          value: mapPlaces(value, () => ({ file: '/app/src/it.ts', line: 7, column: 3, kind: 'app' })),
          note: 'noted',
        }),
        close: () => undefined,
      },
    });
    for (const slot of [0, 1, 2]) enter(slot);
    await vi.advanceTimersByTimeAsync(500);
    await loop.crash(end([evidenceOf(1), evidenceOf(0)]));
    const [dump] = dumps;
    expect(dump?.verdict.summary).toContain(
      'TypeError, made in pay (src/it.ts:7:3), was not caught and ended the process',
    );
    expect(dump?.verdict.summary).toContain('in the context of #2 GET /r1');
    expect(dump?.crash?.error?.frames[0]?.generated).toMatchObject({ file: '/app/pay.js', line: 41 });
    expect(dump?.requests.map(({ id, stacks }) => [id, stacks[0]?.[0]?.file])).toEqual([
      [2, '/app/src/it.ts'],
      [1, '/app/src/it.ts'],
      [3, undefined],
    ]);
    expect(dump?.evidence).toMatchObject({ complete: false, tookMs: 3 });
    expect(dump?.evidence?.note).toBe(
      'where 1 of the requests were suspended is not known: the process had no more time, or could not say; noted',
    );
  });

  test('leaves the sources a share of the time, and no more', async () => {
    const map = vi.fn(async (value) => ({ value, note: undefined }));
    const { dumps, enter, loop, evidenceOf } = setUp({ sources: { map, close: () => undefined } });
    enter(0, { request: 2 });
    await vi.advanceTimersByTimeAsync(200);
    await loop.crash(end([evidenceOf(0)], { deadlineMs: 200 }));
    expect(map.mock.calls.map(([, waitMs]: unknown[]) => waitMs)).toEqual([80]);
    expect(dumps.map(({ evidence }) => evidence)).toEqual([{ complete: true, tookMs: 3 }]);
    await vi.advanceTimersByTimeAsync(5_000);
    expect(dumps).toHaveLength(1);
  });
});

describe('the flight recorder', () => {
  test('is in every kind of dump, around the requests that it is about', async () => {
    const { recorder, header, dumps, records, enter, leave, loop, evidenceOf } = setUp({ blockedLoopMs: 500 });
    const answer = setInterval(() => Atomics.store(header, kBeat, Atomics.load(header, kBeatAsked)), 10);
    recorder.write(RECORD_FINISHED, 0, 99);
    enter(0, { beganAt: 1 });
    loop.receive({ type: 'dump', id: 1 });
    await vi.advanceTimersByTimeAsync(1_500);
    leave(0);
    loop.receive({
      type: 'cut-off',
      evidence: evidenceOf(5),
      began: { request: 6, method: 0, route: 0, startMs: 0, beganAt: 1, timeoutMs: 1_000 },
      elapsedMs: 700,
      idleMs: 700,
      timeoutMs: 1_000,
      checkpointAgeMs: 700,
      how: 'was left by its client',
    });
    await vi.advanceTimersByTimeAsync(200);
    clearInterval(answer);
    enter(1, { beganAt: 1 });
    header[kRunning] = 2;
    await vi.advanceTimersByTimeAsync(900);
    Atomics.store(header, kBeat, Atomics.load(header, kBeatAsked));
    await vi.advanceTimersByTimeAsync(300);
    await loop.crash({
      type: 'crash',
      crash: { cause: 'exit', exitCode: 0 },
      evidence: { requests: [], tookMs: 0 },
      deadlineMs: 250,
    });
    const told = (dump: Dump | undefined) =>
      dump?.recorder?.entries.map(({ type, request }) => `${type} ${request}`).join(', ');
    expect(dumps.map((dump) => `${dump.kind}: ${told(dump)}`)).toEqual([
      'snapshot: finished 99, started 1',
      'hang: finished 99, started 1',
      'gone: finished 99, started 6',
      'recovered: finished 99, started 1',
      'loop-block: finished 99, started 2',
      'recovered: finished 99, started 2',
      'crash: finished 99, started 2',
    ]);
    const kept = records.filter((record) => record !== undefined);
    expect(kept.length).toBeGreaterThan(0);
    for (const record of kept) expect(told(record)).toMatch(/^finished 99, started /);
  });
});

describe('a hang', () => {
  test('is found within its timeout and 1.25 scan intervals of its last movement, whenever that was', async () => {
    const times = fc.record({
      timeoutMs: fc.integer({ min: 200, max: 5_000 }),
      scanIntervalMs: fc.integer({ min: 10, max: 1_000 }),
      enterAfterMs: fc.integer({ min: 0, max: 3_000 }),
      movesAfter: fc.double({ min: 0, max: 0.9, noNaN: true }),
    });
    await fc.assert(
      fc.asyncProperty(times, async ({ timeoutMs, scanIntervalMs, enterAfterMs, movesAfter }) => {
        const { table, dumps, enter, loop } = setUp({ scanIntervalMs });
        await vi.advanceTimersByTimeAsync(enterAfterMs);
        // As the tracker does for who enters while the watchdog sleeps.
        loop.receive({ type: 'wake' });
        enter(0, { timeoutMs });
        await vi.advanceTimersByTimeAsync(Math.round(movesAfter * timeoutMs));
        table.advance(0);
        await vi.advanceTimersByTimeAsync(timeoutMs - 1);
        expect(dumps).toHaveLength(0);
        // Timers count in whole milliseconds.
        await vi.advanceTimersByTimeAsync(Math.ceil(1.25 * scanIntervalMs) + 2);
        expect(dumps).toHaveLength(1);
        await loop.stop();
      }),
      { numRuns: 100 },
    );
  });

  test('is reported once, with all requests in flight, the stuck one first', async () => {
    const { table, dumps, enter } = setUp();
    enter(0);
    enter(1);
    for (let i = 0; i < 30; i++) {
      table.advance(0);
      await vi.advanceTimersByTimeAsync(100);
    }
    expect(dumps).toHaveLength(1);
    const [dump] = dumps;
    expect(dump).toMatchObject({ kind: 'hang', verdict: { evidence: 'no-progress' }, resources: { Timeout: 2 } });
    expect(dump?.requests.map(({ route, state }) => `${route} ${state}`)).toEqual(['/r1 stuck', '/r0 moving']);
    expect(dump?.verdict.summary).toContain('wait (wait.ts:2:5)');
  });

  test('is judged, named and told apart by its places in the sources', async () => {
    const built = (build: number): WatchLoopParts['sources'] => ({
      map: async (value) => ({
        value: mapPlaces(value, ({ line }) => ({
          file: '/app/src/wait.ts',
          line: line - build,
          column: 7,
          kind: 'app',
        })),
        note: 'noted',
      }),
      close: () => undefined,
    });
    const report = async (build: number) => {
      const { dumps, enter } = setUp({
        evidence: () => ({
          stacks: [
            [{ function: `f${build}`, file: '/app/wait.js', line: 40 + build, column: 5, async: true, kind: 'app' }],
          ],
        }),
        sources: built(build),
      });
      enter(0);
      await vi.advanceTimersByTimeAsync(1_500);
      return dumps[0];
    };
    const [one, other] = [await report(1), await report(2)];
    expect(one?.verdict.summary).toContain('f1 (src/wait.ts:40:7)');
    expect(one?.evidence?.note).toBe('noted');
    expect(one?.requests[0]?.stacks[0]?.[0]?.generated).toEqual({ file: '/app/wait.js', line: 41, column: 5 });
    expect(one?.verdict.fingerprint).toBe(other?.verdict.fingerprint);
  });

  test('is reported within the timeout and one and a quarter scan intervals', async () => {
    const { dumps, enter } = setUp();
    await vi.advanceTimersByTimeAsync(50);
    enter(0);
    const beganMs = Date.now();
    while (dumps.length === 0) await vi.advanceTimersByTimeAsync(5);
    expect(Date.now() - beganMs).toBeGreaterThanOrEqual(1_000);
    expect(Date.now() - beganMs).toBeLessThanOrEqual(1_125);
  });

  test('found in the same scan shares a dump', async () => {
    const { dumps, enter } = setUp();
    for (let slot = 0; slot < 5; slot++) enter(slot);
    await vi.advanceTimersByTimeAsync(2_000);
    expect(dumps).toHaveLength(1);
    expect(dumps[0]?.requests.filter(({ state }) => state === 'stuck')).toHaveLength(5);
    expect(dumps[0]?.verdict.summary).toContain('5 requests are stuck');
  });

  test('is none of a request that goes on while evidence is gathered; if it then stops for good, that is one', async () => {
    const going = { on: true };
    const { dumps, table, enter, gathered } = setUp({ meanwhile: () => going.on && table.advance(0) });
    enter(0);
    await vi.advanceTimersByTimeAsync(5_000);
    expect(gathered.length).toBeGreaterThan(1);
    expect(dumps).toEqual([]);
    going.on = false;
    await vi.advanceTimersByTimeAsync(2_500);
    expect(dumps.map(({ verdict }) => verdict.summary)).toEqual([
      expect.stringMatching(/^GET \/r0 has made no progress for 1\.\d s/),
    ]);
  });

  test('of several kinds, the sentence is that of the kind which the verdict names', async () => {
    const client = { begun: true, answered: true, sinceMs: 1_000, unreadBytes: 10 };
    const { dumps, enter } = setUp({ evidence: (slot) => (slot === 1 ? { client } : {}) });
    for (let slot = 0; slot < 3; slot++) enter(slot);
    await vi.advanceTimersByTimeAsync(2_000);
    expect(dumps[0]?.verdict.evidence).toBe('client-stalled');
    expect(dumps[0]?.verdict.summary).toMatch(/^3 requests are stuck; GET \/r1 waits for its client to read/);
  });

  test('of more requests than a dump holds is told in several', async () => {
    const { dumps, loop, header } = setUp({ answers: false });
    for (let index = 1; index <= 11; index++) {
      const table = new TestingTable();
      loop.receive({ type: 'segment', index, buffer: table.buffer });
      for (let slot = 0; slot < 1_024; slot++) table.enter(slot, { request: index * 1_024 + slot });
    }
    Atomics.add(header, kInFlight, 11 * 1_024);
    await vi.advanceTimersByTimeAsync(4_000);
    const stuck = dumps.map(({ requests }) => requests.filter(({ state }) => state === 'stuck').length);
    expect(stuck.slice(0, 2)).toEqual([10_000, 1_264]);
  });

  test('is reported from the table alone when the main thread does not answer', async () => {
    const { dumps, enter } = setUp({ answers: false });
    enter(0, { request: 7 });
    await vi.advanceTimersByTimeAsync(3_000);
    expect(dumps).toHaveLength(1);
    expect(dumps[0]?.evidence).toMatchObject({ complete: false });
    expect(dumps[0]?.requests).toMatchObject([{ id: 7, state: 'stuck', stacks: [] }]);
  });

  test('whose background work moves on is reported as chain-stalled', async () => {
    const { table, dumps, enter } = setUp();
    enter(0);
    for (let i = 0; i < 30; i++) {
      table.move(0);
      await vi.advanceTimersByTimeAsync(100);
    }
    expect(dumps.map(({ verdict }) => verdict.evidence)).toEqual(['chain-stalled']);
  });

  test('a request whose own chain is young is looked at about once a timeout, and not reported', async () => {
    const { table, dumps, asked, enter } = setUp({ evidence: () => ({ youngestOwnMs: 10 }) });
    enter(0);
    for (let i = 0; i < 100; i++) {
      table.move(0);
      await vi.advanceTimersByTimeAsync(100);
    }
    expect(dumps).toEqual([]);
    const looks = asked.filter((type) => type === 'look').length;
    expect(looks).toBeGreaterThanOrEqual(5);
    expect(looks).toBeLessThanOrEqual(10);
  });
});

describe('a request that was reported', () => {
  /** A request whose evidence the test changes as it goes. */
  const standing = (line: number, parts: Partial<RequestEvidence> = {}): Partial<RequestEvidence> => ({
    stacks: [[{ function: 'wait', file: '/app/wait.ts', line, column: 5, async: true, kind: 'app' }]],
    ...parts,
  });

  test('as slow, and then stops altogether, is reported again as a hang', async () => {
    const { table, dumps, enter, leave } = setUp();
    enter(0, { maxDurationMs: 2_000 });
    for (let i = 0; i < 30; i++) {
      table.advance(0);
      await vi.advanceTimersByTimeAsync(100);
    }
    expect(dumps.map(({ verdict }) => verdict.evidence)).toEqual(['slow']);
    await vi.advanceTimersByTimeAsync(1_200);
    expect(dumps.map(({ verdict }) => verdict.evidence)).toEqual(['slow', 'no-progress']);
    expect(dumps[1]?.follows).toBe(dumps[0]?.id);
    expect(dumps[1]?.verdict.summary).toContain('it was reported before');
    await vi.advanceTimersByTimeAsync(5_000);
    leave(0);
    await vi.advanceTimersByTimeAsync(200);
    expect(dumps.map(({ kind }) => kind)).toEqual(['hang', 'hang', 'recovered']);
    expect(dumps[2]?.follows).toBe(dumps[1]?.id);
  });

  test('moves on and hangs elsewhere is reported again; at the same place it is no news', async () => {
    let line = 1;
    const { table, dumps, asked, enter } = setUp({ evidence: () => standing(line) });
    enter(0);
    const places = () => dumps.map(({ requests }) => requests[0]?.stacks[0]?.[0]?.line);
    await vi.advanceTimersByTimeAsync(1_500);
    expect(places()).toEqual([1]);
    table.move(0);
    await vi.advanceTimersByTimeAsync(1_500);
    expect(places()).toEqual([1]);
    line = 2;
    table.move(0);
    await vi.advanceTimersByTimeAsync(1_500);
    expect(places()).toEqual([1, 2]);
    line = 1;
    table.move(0);
    await vi.advanceTimersByTimeAsync(1_500);
    expect(places()).toEqual([1, 2]);
    // One look at each time it stopped, at all requests where that is news, and none while it stands.
    await vi.advanceTimersByTimeAsync(20_000);
    expect(asked.filter((type) => type === 'gather')).toHaveLength(4 + 1);
  });

  test('whose background work goes on is looked at once a timeout, and not gathered again while its own await is the same', async () => {
    let ownMs = 2_000;
    let line = 1;
    const { table, dumps, asked, enter } = setUp({ evidence: () => standing(line, { youngestOwnMs: ownMs }) });
    enter(0);
    const run = async (scans: number) => {
      for (let i = 0; i < scans; i++) {
        table.move(0);
        ownMs += 100;
        await vi.advanceTimersByTimeAsync(100);
      }
    };
    await run(20);
    expect(dumps).toHaveLength(1);
    await run(100);
    expect(dumps).toHaveLength(1);
    expect(asked.filter((type) => type === 'gather')).toHaveLength(1);
    expect(asked.filter((type) => type === 'look').length).toBeLessThan(14);
    ownMs = 0;
    line = 2;
    await run(30);
    expect(dumps.map(({ verdict }) => verdict.evidence)).toEqual(['chain-stalled', 'chain-stalled']);
    expect(dumps[1]?.requests[0]?.stacks[0]?.[0]?.line).toBe(2);
  });
});

describe('a storm of hangs that are known already', () => {
  /** All at one place. */
  const samePlace = (): Partial<RequestEvidence> => ({
    route: '/r',
    stacks: [[{ function: 'wait', file: '/app/wait.ts', line: 1, column: 5, async: true, kind: 'app' }]],
  });
  /** The table has room for as many. */
  const MANY = 1_000;
  const ask = (asked: readonly string[], type: string) => asked.filter((each) => each === type).length;

  test('asks nothing more of the main thread than whether bytes have moved, once all are reported', async () => {
    const { dumps, asked, enter } = setUp({ evidence: samePlace });
    for (let slot = 0; slot < MANY; slot++) enter(slot);
    await vi.advanceTimersByTimeAsync(1_500);
    expect(dumps.map(({ requests }) => requests.length)).toEqual([MANY]);
    asked.length = 0;
    await vi.advanceTimersByTimeAsync(60_000);
    expect([...new Set(asked)]).toEqual(['sample']);
    expect(asked.length).toBeLessThanOrEqual(600);
  });

  test('and whose requests stir now and then: evidence of these alone, and in the end once in three seconds', async () => {
    const beganMs = Date.now();
    const { table, dumps, gathered, enter } = setUp({
      evidence: () => ({ ...samePlace(), youngestOwnMs: Date.now() - beganMs }),
    });
    for (let slot = 0; slot < MANY; slot++) enter(slot);
    await vi.advanceTimersByTimeAsync(1_500);
    gathered.length = 0;
    // Each has a timer that lets it move each 5 s: in every scan some of them have come to stand again.
    for (let scan = 0; scan < 600; scan++) {
      for (let slot = scan % 50; slot < MANY; slot += 50) table.move(slot);
      await vi.advanceTimersByTimeAsync(100);
    }
    expect(dumps).toHaveLength(1);
    expect(gathered.length).toBeLessThanOrEqual(20 + 60 / 3 + 1);
    expect(gathered.length).toBeGreaterThan(20);
    expect(Math.max(...gathered)).toBeLessThan(MANY);
  });

  test('and grows: the new ones are counted, by evidence of these alone, and a hang at another place is reported', async () => {
    let news = -1;
    const { dumps, gathered, enter } = setUp({
      evidence: (slot) => (slot === news ? { route: '/news' } : samePlace()),
    });
    const grow = async (from: number, to: number) => {
      for (let slot = from; slot < to; slot++) {
        enter(slot, { checkpoint: 7 });
        await vi.advanceTimersByTimeAsync(100);
      }
    };
    await grow(0, 100);
    expect(dumps).toHaveLength(3);
    gathered.length = 0;
    await grow(100, 400);
    // A dump of the kind each minute says how many were held back.
    expect(dumps.length).toBeLessThanOrEqual(4);
    const alone = gathered.filter((requests) => requests <= 40);
    expect(alone.length).toBeGreaterThanOrEqual(gathered.length - 1);
    expect(gathered.length).toBeLessThanOrEqual(20 + 30 / 3 + 2);
    const before = dumps.length;
    news = 400;
    enter(news, { checkpoint: 8 });
    await vi.advanceTimersByTimeAsync(1_200);
    expect(dumps).toHaveLength(before + 1);
    expect(dumps.at(-1)?.requests[0]).toMatchObject({ route: '/news', state: 'stuck' });
    expect(dumps.at(-1)?.requests.length).toBe(401);
    expect(dumps.reduce((sum, { suppressed }) => sum + suppressed.requests, 0)).toBeGreaterThan(350);
    // Also where it looks like the known ones: a little later.
    news = 401;
    enter(news, { checkpoint: 7 });
    await vi.advanceTimersByTimeAsync(4_300);
    expect(dumps.at(-1)?.requests.find(({ id }) => id === 402)).toMatchObject({ route: '/news', state: 'stuck' });
  });

  test('holds back none that is to be answered or aborted', async () => {
    const { table, asked, enter } = setUp({ evidence: samePlace });
    for (let slot = 0; slot < 100; slot++) {
      enter(slot, { checkpoint: 7 });
      await vi.advanceTimersByTimeAsync(100);
    }
    enter(100, { checkpoint: 7 });
    table.setFlag(100, FLAG_NOTIFY);
    await vi.advanceTimersByTimeAsync(1_200);
    expect(ask(asked, 'stuck')).toBe(1);
  });
});

describe('what storm control holds back', () => {
  /** Hangs in so many groups, ten a second, that for the next seconds nothing may leave. */
  async function shut({ enter, dumps }: ReturnType<typeof setUp>, groups = 40) {
    for (let slot = 0; slot < groups; slot++) {
      enter(slot, { timeoutMs: 300 });
      await vi.advanceTimersByTimeAsync(100);
    }
    const told = new Set(stuckIn(dumps));
    expect(told.size).toBeLessThan(groups - 10);
    return told;
  }
  const stuckIn = (dumps: readonly Dump[]) =>
    dumps.flatMap(({ requests }) => requests.filter(({ state }) => state === 'stuck').map(({ id }) => id));
  const suppressedIn = (dumps: readonly Dump[]) => dumps.reduce((sum, { suppressed }) => sum + suppressed.requests, 0);

  test('is acted on in time all the same, once, and reported when it may be', async () => {
    const all = setUp();
    const { table, dumps, asked, gathered, enter } = all;
    await shut(all);
    enter(100, { timeoutMs: 300 });
    table.setFlag(100, FLAG_NOTIFY);
    await vi.advanceTimersByTimeAsync(300);
    expect(asked).not.toContain('stuck');
    gathered.length = 0;
    await vi.advanceTimersByTimeAsync(130);
    expect(asked.filter((type) => type === 'stuck')).toHaveLength(1);
    expect(stuckIn(dumps)).not.toContain(101);
    // Of the others nothing is asked for that.
    expect(gathered).toContain(1);
    // It is found again while others take what may leave.
    for (let slot = 200; slot < 240; slot++) {
      enter(slot, { timeoutMs: 300 });
      await vi.advanceTimersByTimeAsync(100);
    }
    expect(stuckIn(dumps)).not.toContain(101);
    expect(asked.filter((type) => type === 'stuck')).toHaveLength(1);
    await vi.advanceTimersByTimeAsync(200_000);
    expect(stuckIn(dumps)).toContain(101);
  });

  test('and is over before it may leave, is counted, and said within a minute though nothing else is to be told', async () => {
    const all = setUp();
    const { table, dumps, enter, leave } = all;
    enter(200, { timeoutMs: 1_000_000 });
    const told = await shut(all);
    // One has gone on, the others have ended.
    const untold = Array.from({ length: 40 }, (_, slot) => slot).filter((slot) => !told.has(slot + 1));
    // The last three are not stuck yet.
    const [first = 0, ...others] = untold.slice(0, -3);
    table.advance(first);
    for (const slot of others) leave(slot);
    for (let i = 0; i < 10; i++) {
      table.advance(first);
      for (const slot of untold.slice(-3)) table.advance(slot);
      await vi.advanceTimersByTimeAsync(100);
    }
    for (const slot of [first, ...untold.slice(-3)]) leave(slot);
    const before = dumps.length;
    await vi.advanceTimersByTimeAsync(61_000);
    expect(dumps.slice(before).map(({ kind, verdict }) => `${kind}: ${verdict.summary}`)).toEqual([
      `suppressed: ${untold.length - 3} more requests have hung or been cut off since the last report: like those that were reported, or too many at once`,
    ]);
    expect(suppressedIn(dumps)).toBe(untold.length - 3);
  });

  test('is said before the watchdog sleeps, and when it ends', async () => {
    const all = setUp();
    const { header, dumps, enter, leave, loop } = all;
    enter(0);
    Atomics.add(header, kUnseenEnds, 7);
    leave(0);
    await vi.advanceTimersByTimeAsync(1_000);
    expect(header[kParked]).toBe(1);
    expect(dumps.map(({ kind, suppressed }) => [kind, suppressed.requests])).toEqual([['suppressed', 7]]);
    loop.receive({ type: 'wake' });
    const told = await shut(all);
    const waiting = 40 - told.size - 3;
    await loop.stop();
    expect(dumps.at(-1)).toMatchObject({ kind: 'suppressed', suppressed: { requests: waiting } });
  });

  test('is said by the report of the end of the process, where that comes first', async () => {
    const { header, dumps, loop, enter } = setUp();
    enter(0);
    await vi.advanceTimersByTimeAsync(300);
    Atomics.add(header, kUnseenEnds, 3);
    await loop.crash({
      type: 'crash',
      crash: { cause: 'exit', exitCode: 0 },
      evidence: { requests: [], tookMs: 0 },
      deadlineMs: 250,
    });
    expect(dumps.map(({ kind, suppressed }) => [kind, suppressed.requests])).toEqual([['crash', 3]]);
  });
});

describe('a blocked event loop', () => {
  const settings = { answers: false, blockedLoopMs: 500 };
  const blocksOf = (dumps: readonly Dump[]) => dumps.filter(({ kind }) => kind === 'loop-block');

  test('is not put down to the request that ran last: that is named, and not said to be stuck', async () => {
    const { header, dumps, enter } = setUp(settings);
    enter(0);
    enter(1);
    await vi.advanceTimersByTimeAsync(50);
    header[kRunning] = 2;
    await vi.advanceTimersByTimeAsync(900);
    const [dump] = blocksOf(dumps);
    expect(dump?.requests).toMatchObject([
      { id: 2, state: 'moving' },
      { id: 1, state: 'moving' },
    ]);
    expect(dump?.block).toMatchObject({ lastRan: 2 });
    expect(dump?.verdict.summary).toMatch(/the main thread does not answer; last ran: #2 /);
  });

  test("that runs no request is nobody's fault", async () => {
    const evidence = { running: undefined, requests: [], heapUsed: 0.1 };
    const stack = { frames: [], source: '', late: false, heapUsed: 0.1 };
    const takeStack = () => ({
      outcome: Promise.resolve({ type: 'stack', stack, evidence, costMs: 1 } as const),
      cancel: () => undefined,
    });
    const { header, dumps, enter } = setUp({ ...settings, blockProbe: { ...NO_PROBE, takeStack } });
    enter(0);
    await vi.advanceTimersByTimeAsync(50);
    header[kRunning] = 1;
    await vi.advanceTimersByTimeAsync(900);
    const [dump] = blocksOf(dumps);
    expect(dump?.requests).toMatchObject([{ id: 1, state: 'moving' }]);
    expect(dump?.verdict.summary).toContain('the main thread runs JavaScript (no request: background work)');
    expect(JSON.stringify(dump)).not.toContain('last ran');
  });

  test('leaves a self-test alone: nothing but one in flight is no block, and it is in no report', async () => {
    const { table, dumps, enter } = setUp(settings);
    enter(0, { timeoutMs: 60_000 });
    table.setFlag(0, FLAG_STAGED);
    await vi.advanceTimersByTimeAsync(3_000);
    expect(dumps).toEqual([]);
    const beside = setUp(settings);
    beside.enter(0, { timeoutMs: 60_000 });
    beside.table.setFlag(0, FLAG_STAGED);
    beside.enter(1, { timeoutMs: 60_000 });
    await vi.advanceTimersByTimeAsync(3_000);
    expect(blocksOf(beside.dumps).map(({ requests }) => requests.map(({ id }) => id))).toEqual([[2]]);
  });

  test('is not lost in a storm', async () => {
    const { header, dumps, enter } = setUp({ blockedLoopMs: 500 });
    const answer = setInterval(() => Atomics.store(header, kBeat, Atomics.load(header, kBeatAsked)), 10);
    for (let round = 0; round < 25; round++) {
      enter(10 + round, { timeoutMs: 500 });
      await vi.advanceTimersByTimeAsync(100);
    }
    const hangs = dumps.length;
    clearInterval(answer);
    await vi.advanceTimersByTimeAsync(900);
    expect(dumps.slice(hangs).map(({ kind }) => kind)).toContain('loop-block');
  });
});

describe('an application that does not get closed', () => {
  test('is reported with all requests in flight, oldest first, and follows what was reported of them', async () => {
    const { table, dumps, enter, loop } = setUp();
    enter(0);
    await vi.advanceTimersByTimeAsync(1_500);
    enter(2, { timeoutMs: 60_000 });
    await vi.advanceTimersByTimeAsync(100);
    enter(1, { timeoutMs: 60_000 });
    table.advance(1);
    await vi.advanceTimersByTimeAsync(100);
    loop.receive({ type: 'closing', what: 'app.close()', sinceMs: 10_000 });
    await vi.advanceTimersByTimeAsync(0);
    expect(dumps.map(({ kind }) => kind)).toEqual(['hang', 'shutdown']);
    const [hang, shutdown] = dumps;
    expect(shutdown).toMatchObject({
      follows: hang?.id,
      verdict: { evidence: 'not-closed' },
      resources: { Timeout: 2 },
    });
    expect(shutdown?.requests.map(({ route, state }) => `${route} ${state}`)).toEqual([
      '/r0 moving',
      '/r2 moving',
      '/r1 moving',
    ]);
    expect(shutdown?.verdict.summary).toMatch(
      /^app\.close\(\) has taken 10\.0 s and is not done: 3 requests are in flight; the oldest, GET \/r0 for 1\.7 s, which has made no progress for 1\.\d s: suspended in wait \(wait\.ts:1:5\)$/,
    );
  });
});

describe('a staged hang', () => {
  test('is posted at once and alone, past storm control, followed by its end, and is in no other dump', async () => {
    const { table, dumps, posted, asked, enter, leave } = setUp();
    // A storm: twenty kinds at once use up what may be sent, and more.
    for (let round = 0; round < 25; round++) {
      enter(10 + round, { timeoutMs: 500 });
      await vi.advanceTimersByTimeAsync(100);
    }
    enter(0, { timeoutMs: 300 });
    table.setFlag(0, FLAG_STAGED);
    await vi.advanceTimersByTimeAsync(1_000);
    expect(posted).toHaveLength(1);
    expect(posted[0]).toMatchObject({ selfTest: true, kind: 'hang', requests: [{ route: '/r0', state: 'stuck' }] });
    expect(posted[0]?.requests).toHaveLength(1);
    expect(asked.filter((type) => type === 'staged-found' || type === 'staged-posted')).toEqual([
      'staged-found',
      'staged-posted',
    ]);
    expect(dumps.length).toBeGreaterThan(5);
    expect(dumps.flatMap(({ requests }) => requests).some(({ route }) => route === '/r0')).toBe(false);
    leave(0);
    await vi.advanceTimersByTimeAsync(200);
    expect(dumps.at(-1)).toMatchObject({ kind: 'recovered', selfTest: true, follows: posted[0]?.id });
    await vi.advanceTimersByTimeAsync(5_000);
    expect(posted).toHaveLength(1);
  });
});

describe('the end of a reported request', () => {
  test.each([
    [true, 'recovered'],
    [false, 'gone'],
  ])('finished %s is told as %s, and follows the first report', async (finished, kind) => {
    const { dumps, enter, leave } = setUp();
    enter(0);
    await vi.advanceTimersByTimeAsync(1_500);
    leave(0, finished);
    await vi.advanceTimersByTimeAsync(200);
    expect(dumps.map((dump) => dump.kind)).toEqual(['hang', kind]);
    expect(dumps[1]?.follows).toBe(dumps[0]?.id);
    expect(dumps[1]?.requests).toMatchObject([{ route: '/r0', elapsedMs: 1_500 }]);
  });

  test('a hundred that recover together share a dump', async () => {
    const { dumps, enter, leave } = setUp();
    for (let slot = 0; slot < 100; slot++) enter(slot);
    await vi.advanceTimersByTimeAsync(1_500);
    for (let slot = 0; slot < 100; slot++) leave(slot);
    await vi.advanceTimersByTimeAsync(500);
    expect(dumps.map((dump) => `${dump.kind} ${dump.requests.length}`)).toEqual(['hang 100', 'recovered 100']);
  });
});

describe('no alarm', () => {
  test('for a process that was suspended', async () => {
    const { table, dumps, enter } = setUp();
    enter(0);
    await vi.advanceTimersByTimeAsync(500);
    vi.setSystemTime(Date.now() + 3_600_000);
    await vi.advanceTimersByTimeAsync(200);
    table.advance(0);
    await vi.advanceTimersByTimeAsync(500);
    expect(dumps).toEqual([]);
  });

  test('and no scan while nothing is in flight; the next request wakes it', async () => {
    const { header, asked, dumps, enter, leave, loop } = setUp();
    enter(0);
    await vi.advanceTimersByTimeAsync(300);
    leave(0);
    await vi.advanceTimersByTimeAsync(2_000);
    expect(Atomics.load(header, kParked)).toBe(1);
    expect(vi.getTimerCount()).toBe(0);
    const askedBefore = asked.length;
    await vi.advanceTimersByTimeAsync(60_000);
    expect(asked.length).toBe(askedBefore);
    enter(1);
    Atomics.store(header, kParked, 0);
    loop.receive({ type: 'wake' });
    await vi.advanceTimersByTimeAsync(900);
    expect(dumps).toEqual([]);
    await vi.advanceTimersByTimeAsync(400);
    expect(dumps).toHaveLength(1);
  });
});

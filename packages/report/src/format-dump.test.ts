import type { Dump, DumpFrame, DumpRequest } from '@hangwatch/protocol';
import { sampleDump } from '@hangwatch/protocol/sample';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { formatDump } from './format-dump.ts';
import { formatDumpLine } from './format-dump-line.ts';

const id = '0d0f3ad2-7f5b-4a56-8f9b-6f2f4a3f7a10';
const stuck = (): DumpRequest => {
  const [first] = sampleDump().requests;
  if (first === undefined) throw new Error('the sample has a stuck request');
  return { ...first, holds: [] };
};
const hang = (requests: DumpRequest[], overrides: Partial<Dump> = {}) =>
  sampleDump({ id, requests, waitFor: undefined, ...overrides });
const linesAbout = (request: DumpRequest, options = {}) =>
  formatDump(hang([request]), options)
    .split('\n\n')[1]
    ?.split('\n') ?? [];

test('a self-test is called so, also when it has ended', () => {
  expect(formatDump(sampleDump({ selfTest: true }))).toMatch(/^SELF-TEST: /);
  expect(formatDumpLine(sampleDump({ selfTest: true, kind: 'recovered' }))).toContain('SELF-TEST RECOVERED');
});

test('requests that are told by another one are counted with it', () => {
  const twins = [2, 3].map((number) => ({ ...stuck(), id: number, stacks: [], waitsFor: [], sameAs: 41 }));
  const text = formatDump(hang([stuck(), ...twins]));
  expect(text).toContain('  at the same place: #2 10.3 s, #3 10.3 s');
  expect(text).not.toContain('#2 GET');
});

describe('golden', () => {
  test('hang', () => {
    expect(formatDump(sampleDump({ id }))).toMatchInlineSnapshot(`
      "HANG (no progress): 2 of 3 requests in flight have not moved for 10 s: GET /reports in log (src/lib.ts:3:47), and 1 more
        orders 1.4.2, pid 4711 on web-1, node 20.20.0, up 1 h 4 min, 2026-01-31 09:30:00Z, dump 0d0f3ad2-7f5b-4a56-8f9b-6f2f4a3f7a10

      #41 GET /reports  10.3 s  (no progress for 10.1 s, timeout 10 s)
        last passed "handler" (src/routes.ts:8), 10.3 s ago
        trace 4bf92f3577b34da6a3ce929d0e0e4736
        waits for lock "logging" for 10.1 s
          lock "logging": held by #42 since 10.2 s, acquired at flush (src/flush.ts:12:22)
        holds import "./feature.mjs" for 10.1 s
          at async log (src/lib.ts:3:47)  waiting 10.1 s
          at async src/feature.ts:3:1
          … 2 frames of node
          at async lazyRoute (src/routes.ts:10:41)

      #42 POST /logs/:name/flush  10.2 s  (no progress for 10.1 s, timeout 10 s)
        last passed "flush begun" (src/flush.ts:12), 10.1 s ago, {"name":"audit","lines":4711}
        before that
          "handler flushRoute" (src/routes.ts:20), 10.2 s ago
          "request entered", 10.2 s ago
        request id b1946ac9
        waits for import "./feature.mjs" for 10.1 s
          import "./feature.mjs": held by #41 since 10.1 s
        holds lock "logging" for 10.2 s, acquired at flush (src/flush.ts:12:22)
          at async flush (src/flush.ts:14:20)  waiting 10.1 s, as does #41
          … 3 frames of node_modules/async-mutex and node_modules/@acme/locks
          at async flushRoute (src/routes.ts:21:5)

      also in flight (1):
        #57 GET /orders/:id  42 ms  idle 3 ms  handler

      before it:
          11 s ago  #38 ended an outbound call (http) after 1 s
          11 s ago  #38 GET /users/:id finished after 1 s
        10.3 s ago  #41 GET /reports entered
        10.1 s ago  #42 passed "flush begun"
        … 14 more, back to 1 h 4 min ago

      event loop: p99 delay 12 ms, 2% busy
      resources: TCPSocketWrap 4, Timeout 2, TCPServerWrap 1"
    `);
  });

  test('hang with little evidence and suppressed dumps', () => {
    const dump = sampleDump({
      id,
      process: { service: '', hostname: 'web-1', pid: 1, node: 'v22.1.0', version: '', uptimeMs: 61_000 },
      verdict: { evidence: 'slow', summary: 'GET /export has been running for 5 min' },
      requests: [
        {
          ...stuck(),
          route: '/export',
          elapsedMs: 301_000,
          idleMs: 200,
          stacks: [],
          awaits: undefined,
          waitsFor: [],
          verdict: undefined,
        },
      ],
      evidence: { complete: false, tookMs: 500, note: 'the main thread did not answer in 500 ms' },
      resources: {},
      suppressed: { dumps: 1, requests: 240 },
    });
    expect(formatDump(dump, { now: new Date('2026-01-31T09:31:04.000Z') })).toMatchInlineSnapshot(`
      "SLOW: GET /export has been running for 5 min
        pid 1 on web-1, node 22.1.0, up 1 min 1 s, 2026-01-31 09:30:00Z (1 min 4 s ago), dump 0d0f3ad2-7f5b-4a56-8f9b-6f2f4a3f7a10

      #41 GET /export  5 min 1 s  (slow: it moved 200 ms ago, and is not done)
        last passed "handler" (/srv/orders/src/routes.ts:8), 10.3 s ago
        trace 4bf92f3577b34da6a3ce929d0e0e4736
          lock "logging": held by #42 since 10.2 s, acquired at flush (/srv/orders/src/flush.ts:12:22)
        no await stack: the evidence is incomplete

      before it:
          11 s ago  #38 ended an outbound call (http) after 1 s
          11 s ago  #38 GET /users/:id finished after 1 s
        10.3 s ago  #41 GET /reports entered
        10.1 s ago  #42 passed "flush begun"
         9.1 s ago  #40 GET /reports was left by its client, or cut off, after 2 s
         8.1 s ago  the event loop was late by 112 ms
           1 s ago  #55 GET /orders/:id finished after less than 1 s
        … 11 more, back to 1 h 4 min ago

      event loop: p99 delay 12 ms, 2% busy
      evidence: incomplete after 500 ms
      note: the main thread did not answer in 500 ms
      suppressed since the last dump: 1 dump of 240 requests"
    `);
  });

  test('recovered', () => {
    const dump = sampleDump({
      id,
      kind: 'recovered',
      follows: '7d0f3ad2-7f5b-4a56-8f9b-6f2f4a3f7a10',
      verdict: { evidence: 'no-progress', summary: '#41 GET /reports finished after 14.2 s' },
    });
    expect(formatDump(dump)).toMatchInlineSnapshot(
      `"2026-01-31 09:30:00Z  RECOVERED  orders: #41 GET /reports finished after 14.2 s  [0d0f3ad2]"`,
    );
  });

  test('gone', () => {
    const dump = sampleDump({
      id,
      kind: 'gone',
      follows: 'the-dump-before',
      verdict: { evidence: 'chain-stalled', summary: '#41 GET /reports: the client left after 30 s' },
    });
    expect(formatDump(dump, { now: new Date('2026-01-31T09:30:00.400Z') })).toMatchInlineSnapshot(
      `"2026-01-31 09:30:00Z (now)  GONE  orders: #41 GET /reports: the client left after 30 s  [0d0f3ad2]"`,
    );
  });

  test('colours only when asked for', () => {
    expect(formatDump(sampleDump({ id }))).not.toContain('\u001b');
    expect(formatDump(sampleDump({ id }), { color: true })).toContain('\u001b[1m\u001b[31mHANG (no progress):');
    expect(formatDumpLine(sampleDump({ id, kind: 'recovered' }), { color: true })).toContain('\u001b[32mRECOVERED');
  });
});

describe('stacks', () => {
  const frame = (change: Partial<DumpFrame>): DumpFrame => ({
    function: 'f',
    file: '/srv/orders/src/a.ts',
    line: 1,
    column: 2,
    async: true,
    kind: 'app',
    ...change,
  });
  const framesOf = (stack: DumpFrame[], options = {}) =>
    linesAbout({ ...stuck(), stacks: [stack], awaits: [], waitsFor: [] }, options).slice(3);

  test('application frames and the innermost are shown, runs of others are folded by owner, the wrapper is left out', () => {
    const pool = (line: number) =>
      frame({ kind: 'dependency', file: '/x/node_modules/.pnpm/p@1/node_modules/pg-pool/index.js', line });
    expect(
      framesOf([
        pool(45),
        pool(50),
        pool(51),
        pool(52),
        frame({ function: 'load' }),
        frame({ kind: 'node', file: 'node:events', function: 'once' }),
        frame({ file: 'file:///srv/orders/src/my%20file.ts', function: '' }),
        frame({ kind: 'hangwatch', file: '/x/node_modules/@hangwatch/core/dist/index.js' }),
      ]),
    ).toEqual([
      '    at async f (node_modules/pg-pool/index.js:45:2)',
      '    … 3 frames of node_modules/pg-pool',
      '    at async load (src/a.ts:1:2)',
      '    at async once (node:events:1:2)',
      '    at async src/my file.ts:1:2',
    ]);
  });

  test('which element of a Promise.all is never folded', () => {
    const all = frame({ kind: 'node', file: '', line: 0, column: 0, function: 'Promise.all', promiseIndex: 7 });
    expect(framesOf([frame({}), all, frame({})])[1]).toBe('    at async Promise.all (index 7)');
  });

  test('frames without a position or a name', () => {
    expect(framesOf([frame({ function: 'native', file: '', line: 0, column: 0, async: false })])).toEqual([
      '    at native',
    ]);
    expect(framesOf([frame({ function: '', file: '', line: 0, column: 0 })])).toEqual(['    at async (unknown)']);
  });

  test('a stack of hangwatch’s wrapper alone says so', () => {
    expect(framesOf([frame({ kind: 'hangwatch' })])).toEqual([
      '    the handler itself; below it is no await that V8 can follow',
    ]);
  });

  test('no stack at all says where to look', () => {
    const [last] = linesAbout({ ...stuck(), stacks: [], awaits: [], waitsFor: [] }).slice(-1);
    expect(last).toBe('  no await stack: it waits in callback code, after what it last passed');
    const dump = hang([{ ...stuck(), stacks: [], awaits: [], waitsFor: [] }]);
    const text = formatDump({ ...dump, process: { ...dump.process, noAwaitStacks: 'no promise hooks' } });
    expect(text).toContain('\n  no await stack: this runtime has none (no promise hooks)\n');
  });

  test('paths are relative to the given folder, and never to the root', () => {
    expect(framesOf([frame({})], { cwd: '/srv' })).toEqual(['    at async f (orders/src/a.ts:1:2)']);
    expect(framesOf([frame({})], { cwd: '/' })).toEqual(['    at async f (/srv/orders/src/a.ts:1:2)']);
  });

  test('ages, other waiters, foreign work and what is left out', () => {
    const request: DumpRequest = {
      ...stuck(),
      stacks: [[frame({})], [frame({})], [frame({})]],
      awaits: [
        { ageMs: 11_000, own: true, alsoAwaitedBy: [41, 42, 42] },
        { ageMs: 900, own: false, alsoAwaitedBy: Array.from({ length: 12 }, (_, i) => 100 + i) },
      ],
      omittedAwaits: 3,
      waitsFor: [],
    };
    expect(linesAbout(request, { maxStacks: 2 }).slice(3)).toEqual([
      '    at async f (src/a.ts:1:2)  waiting 11 s, as does #42',
      '  other work in its context:',
      '    at async f (src/a.ts:1:2)  waiting 900 ms, as do #100, #101, #102, #103, #104, #105, #106, #107, 4 more',
      '  … 4 more awaits',
    ]);
  });
});

describe('many requests', () => {
  test('those at the same place take one line; those at more places than fit join the table', () => {
    const at = (id: number, line: number): DumpRequest => ({
      ...stuck(),
      id,
      checkpoint: { label: `c${line}`, ageMs: 1 },
    });
    const text = formatDump(hang([at(1, 1), at(2, 1), at(3, 2), at(4, 3), at(5, 3)]), { maxStuck: 2 });
    expect(text).toContain('  at the same place: #2 10.3 s');
    expect(text).toContain('also in flight (2, of which 2 stuck):\n  #4 GET /reports  10.3 s  idle 10.1 s  c3\n  #5 ');
  });

  test('ten thousand take a screenful', () => {
    const requests = Array.from(
      { length: 10_000 },
      (_, i): DumpRequest => ({ ...stuck(), id: i, state: i < 5_000 ? 'stuck' : 'moving' }),
    );
    const lines = formatDump(hang(requests)).split('\n');
    expect(lines.length).toBeLessThan(60);
    expect(lines).toContainEqual('  … 4980 more');
  });

  test('the table is cut to the width', () => {
    const wide: DumpRequest = {
      ...stuck(),
      state: 'moving',
      route: `/${'r'.repeat(100)}`,
      checkpoint: { label: 'l'.repeat(60), ageMs: 1 },
    };
    const row = formatDump(hang([wide]), { width: 70 })
      .split('\n')
      .find((line) => line.startsWith('  #41'));
    expect(row).toHaveLength(70);
  });
});

describe('hostile strings', () => {
  const hostile = '\u001b[2J\u009b31m\nFAKE: all is well\r\u202egnp.exe\u2028\u{e0041}\ud800"`';
  const unsafe = /[\p{Cc}\p{Cf}\p{Zl}\p{Zp}\p{Cs}]/u;

  /** The dump with every string that is free text replaced. */
  function everyString(value: unknown, text: string, path = ''): unknown {
    if (typeof value === 'string') return /\.(kind|state|schema|evidence|at)$/.test(path) ? value : text;
    if (Array.isArray(value)) return value.map((item) => everyString(item, text, path));
    if (typeof value !== 'object' || value === null) return value;
    const entries = Object.entries(value).map(([key, child]) => [
      path === '.resources' ? text : key,
      everyString(child, text, `${path}.${key}`),
    ]);
    return Object.fromEntries(entries);
  }
  const poisoned = (text: string, kind: Dump['kind'] = 'hang') => everyString(sampleDump({ kind }), text) as Dump;

  test('nothing in a dump can steer the terminal, begin a line or reorder text', () => {
    const clean = formatDump(poisoned('x'));
    const text = formatDump(poisoned(hostile));
    expect(text.split('\n')).toHaveLength(clean.split('\n').length);
    expect(text.replaceAll('\n', '')).not.toMatch(unsafe);
    expect(text).toContain('\\x1b[2J\\x9b31m\\nFAKE: all is well\\r\\u{202e}gnp.exe');
    expect(formatDump(poisoned(hostile, 'recovered'))).not.toMatch(unsafe);
    expect(formatDump(poisoned(hostile, 'gone')).replaceAll('\n', '')).not.toMatch(unsafe);
  });

  test('whatever the strings are, the lines are as many, clean and bounded', () => {
    const expected = formatDump(poisoned('x')).split('\n').length;
    fc.assert(
      fc.property(fc.string({ unit: 'binary', minLength: 1, maxLength: 300 }), (text) => {
        const lines = formatDump(poisoned(text)).split('\n');
        expect(lines).toHaveLength(expected);
        for (const line of lines) expect(unsafe.test(line)).toBe(false);
      }),
      { numRuns: 200 },
    );
  });

  test('long strings are cut', () => {
    const text = formatDump(poisoned('\u001b'.repeat(4_096)));
    expect(Math.max(...text.split('\n').map((line) => line.length))).toBeLessThan(1_100);
  });
});

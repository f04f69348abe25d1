import type { AwaitStack } from '@hangwatch/async-hooks-helpers';
import { expect, test } from 'vitest';
import { waitsInStacks } from './waits-in-stacks.ts';

const UNDICI = '/app/node_modules/undici/lib/web/fetch/index.js';
const stack = (...frames: [string, string, number?][]): AwaitStack => ({
  frames: frames.map(([name, file, line = 1]) => ({
    function: name,
    file,
    line,
    column: 1,
    async: true,
    kind: file.startsWith('node:') ? 'node' : 'app',
  })),
  sinceClock: 0,
  ageMs: 700,
  latestAgeMs: 700,
  own: true,
  count: 1,
  alsoAwaitedBy: [],
  captured: false,
  created: undefined,
  promise: undefined,
});
const app: [string, string, number] = ['handler', '/app/routes.mjs', 27];
const fetchFrames: [string, string][] = [
  ['httpNetworkFetch', UNDICI],
  ['httpFetch', UNDICI],
];

test.each<[string, [string, string, number?][], string[], string[]]>([
  ['nothing of Node’s', [app], [], []],
  ['a handler’s promise alone', [], [], []],
  [
    'readFile, opening',
    [['open', 'node:internal/fs/promises'], ['Object.readFile', 'node:internal/fs/promises'], app],
    [],
    ['fs: fs.readFile, in open, not finished'],
  ],
  ['stat', [['stat', 'node:internal/fs/promises'], app], [], ['fs: fs.stat, not finished']],
  [
    'an import on Node 20',
    [['run', 'node:internal/modules/esm/module_job'], ['import', 'node:internal/modules/esm/loader'], app],
    [],
    ['import: import at line 27 of routes.mjs'],
  ],
  [
    'an import that told of itself',
    [['run', 'node:internal/modules/esm/module_job'], ['import', 'node:internal/modules/esm/loader'], app],
    ['import'],
    [],
  ],
  ['the entry point’s own evaluation', [['run', 'node:internal/modules/esm/module_job']], [], []],
  [
    'a fetch without a call',
    fetchFrames,
    [],
    ['http: fetch, in the queue of its dispatcher or sent from there, no response headers'],
  ],
  ['a fetch with its call', fetchFrames, ['http'], []],
  ['a timer', [['setTimeout', 'node:timers/promises'], app], [], []],
])('%s', (_, frames, known, expected) => {
  const waits = waitsInStacks(
    [stack(...frames)],
    known.map((type) => ({ type, label: type, sinceMs: 1 })),
  );
  expect(waits.map(({ type, label }) => `${type}: ${label}`)).toEqual(expected);
  for (const { sinceMs } of waits) expect(sinceMs).toBe(700);
});

test('of three fetches with two calls one has none', () => {
  const known = ['a', 'b'].map((label) => ({ type: 'http', label, sinceMs: 1 }));
  expect(
    waitsInStacks(
      [1, 2, 3].map(() => stack(...fetchFrames)),
      known,
    ),
  ).toHaveLength(1);
});

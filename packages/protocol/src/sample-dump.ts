import { DUMP_SCHEMA_VERSION, type Dump } from './dump.ts';
import type { DumpFrame, FrameKind } from './dump-place.ts';
import type { DumpRequest } from './dump-request.ts';

function frame(name: string, file: string, line: number, column: number, kind: FrameKind): DumpFrame {
  return { function: name, file, line, column, async: true, kind };
}

const app = (name: string, file: string, line: number, column: number) =>
  frame(name, `/srv/orders/${file}`, line, column, 'app');

const wrapper = frame(
  'hangwatchHandler',
  '/srv/orders/node_modules/@hangwatch/core/dist/adapter.js',
  41,
  10,
  'hangwatch',
);

const importer: DumpRequest = {
  id: 41,
  traceId: '4bf92f3577b34da6a3ce929d0e0e4736',
  method: 'GET',
  route: '/reports',
  path: '/reports',
  state: 'stuck',
  elapsedMs: 10_312,
  idleMs: 10_104,
  timeoutMs: 10_000,
  checkpoint: { label: 'handler', ageMs: 10_290, file: '/srv/orders/src/routes.ts', line: 8 },
  stacks: [
    [
      { ...app('log', 'src/lib.ts', 3, 47), generated: { file: '/srv/orders/dist/lib.js', line: 2, column: 31 } },
      app('', 'src/feature.ts', 3, 1),
      frame('onImport.tracePromise.__proto__', 'node:internal/modules/esm/loader', 663, 26, 'node'),
      frame('importModuleDynamicallyCallback', 'node:internal/modules/esm/utils', 225, 14, 'node'),
      app('lazyRoute', 'src/routes.ts', 10, 41),
      wrapper,
    ],
  ],
  awaits: [{ ageMs: 10_104, own: true, alsoAwaitedBy: [] }],
  waitsFor: [{ type: 'lock', label: 'logging', sinceMs: 10_104 }],
  holds: [{ resource: 'import "./feature.mjs"', sinceMs: 10_110 }],
  verdict: { evidence: 'no-progress', summary: 'has not moved for 10.1 s' },
};

const flusher: DumpRequest = {
  id: 42,
  requestId: 'b1946ac9',
  method: 'POST',
  route: '/logs/:name/flush',
  path: '/logs/:name/flush',
  state: 'stuck',
  elapsedMs: 10_210,
  idleMs: 10_051,
  timeoutMs: 10_000,
  checkpoint: { label: 'flush begun', ageMs: 10_051, file: '/srv/orders/src/flush.ts', line: 12 },
  trail: [
    { label: 'request entered', ageMs: 10_210 },
    { label: 'handler flushRoute', ageMs: 10_200, file: '/srv/orders/src/routes.ts', line: 20 },
    {
      label: 'flush begun',
      ageMs: 10_051,
      file: '/srv/orders/src/flush.ts',
      line: 12,
      data: { name: 'audit', lines: 4711 },
    },
  ],
  stacks: [
    [
      app('flush', 'src/flush.ts', 14, 20),
      frame('runExclusive', '/srv/orders/node_modules/async-mutex/index.js', 151, 24, 'dependency'),
      frame('acquire', '/srv/orders/node_modules/async-mutex/index.js', 98, 9, 'dependency'),
      frame('withLock', '/srv/orders/node_modules/@acme/locks/lib/with.js', 7, 3, 'dependency'),
      app('flushRoute', 'src/routes.ts', 21, 5),
      wrapper,
    ],
  ],
  awaits: [{ ageMs: 10_051, own: true, alsoAwaitedBy: [41] }],
  waitsFor: [{ type: 'import', label: './feature.mjs', sinceMs: 10_051 }],
  holds: [
    { resource: 'lock "logging"', sinceMs: 10_180, site: { ...app('flush', 'src/flush.ts', 12, 22), async: false } },
  ],
  verdict: { evidence: 'no-progress', summary: 'has not moved for 10.1 s' },
};

const healthy: DumpRequest = {
  id: 57,
  method: 'GET',
  route: '/orders/:id',
  path: '/orders/:id',
  state: 'moving',
  elapsedMs: 42,
  idleMs: 3,
  timeoutMs: 10_000,
  checkpoint: { label: 'handler', ageMs: 40 },
  stacks: [],
  awaits: [],
  waitsFor: [],
};

/**
 * A realistic dump, for tests of what reads, stores or shows dumps: two requests that wait for each other, and a healthy one.
 * Each call makes a new object with an id of its own.
 *
 * @param overrides - top-level fields to replace
 * @example
 * ```ts
 * import { sampleDump } from '@hangwatch/protocol/sample';
 *
 * await fetch(`${collector}/v1/dumps`, { method: 'POST', body: JSON.stringify(sampleDump({ kind: 'recovered' })) });
 * ```
 */
export function sampleDump(overrides: Partial<Dump> = {}): Dump {
  return {
    schema: DUMP_SCHEMA_VERSION,
    id: crypto.randomUUID(),
    kind: 'hang',
    at: '2026-01-31T09:30:00.000Z',
    process: {
      service: 'orders',
      hostname: 'web-1',
      pid: 4711,
      instance: '5f1c3f6e-1c1d-4a51-9a0f-f9a2f1b5d1c7',
      node: '20.20.0',
      version: '1.4.2',
      hangwatch: '0.1.0',
      cwd: '/srv/orders',
      uptimeMs: 3_840_000,
    },
    verdict: {
      evidence: 'no-progress',
      summary: '2 of 3 requests in flight have not moved for 10 s: GET /reports in log (src/lib.ts:3:47), and 1 more',
      fingerprint: '9e107d9d372bb682',
    },
    requests: structuredClone([importer, flusher, healthy]),
    waitFor: {
      edges: [
        {
          request: 41,
          waitsFor: 'lock "logging"',
          heldBy: 42,
          sinceMs: 10_104,
          heldMs: 10_180,
          heldSite: { ...app('flush', 'src/flush.ts', 12, 22), async: false },
        },
        { request: 42, waitsFor: 'import "./feature.mjs"', heldBy: 41, sinceMs: 10_051, heldMs: 10_110 },
      ],
      cycles: [],
    },
    recorder: {
      reachMs: 3_840_000,
      resolutionMs: 1_000,
      entries: [
        { type: 'outbound', ageMs: 11_004, request: 38, label: 'http', durationMs: 1_003 },
        { type: 'finished', ageMs: 11_004, request: 38, label: 'GET /users/:id', durationMs: 1_003 },
        { type: 'started', ageMs: 10_312, request: 41, label: 'GET /reports' },
        { type: 'checkpoint', ageMs: 10_051, request: 42, label: 'flush begun' },
        { type: 'left', ageMs: 9_050, request: 40, label: 'GET /reports', durationMs: 2_001 },
        { type: 'loop-lag', ageMs: 8_051, durationMs: 112.4 },
        { type: 'finished', ageMs: 1_002, request: 55, label: 'GET /orders/:id', durationMs: 0 },
      ],
      omitted: 11,
    },
    evidence: { complete: true, tookMs: 24 },
    eventLoop: { delayP99Ms: 11.6, utilization: 0.021 },
    resources: { TCPSocketWrap: 4, Timeout: 2, TCPServerWrap: 1 },
    suppressed: { dumps: 0, requests: 0 },
    ...overrides,
  };
}

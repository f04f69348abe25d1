import type { Dump, DumpRequest } from '@hangwatch/protocol';

/** A small valid dump of a hung request. */
export function makeDump(id: string, requests: DumpRequest[] = [makeRequest(1)]): Dump {
  return {
    schema: 'hangwatch.dump/1',
    id,
    kind: 'hang',
    at: '2026-01-01T00:00:00.000Z',
    process: { service: 'shop', hostname: 'host', pid: 1, node: 'v20.20.2', version: '1.0.0', uptimeMs: 60_000 },
    verdict: { evidence: 'no-progress', summary: 'GET /reports has not moved for 10 s' },
    requests,
    eventLoop: { delayP99Ms: 1, utilization: 0.1 },
    resources: {},
    suppressed: { dumps: 0, requests: 0 },
  };
}

/** One stuck request. */
export function makeRequest(id: number, label = 'handler'): DumpRequest {
  return {
    id,
    method: 'GET',
    route: '/reports',
    path: '/reports',
    state: 'stuck',
    elapsedMs: 10_300,
    idleMs: 10_200,
    timeoutMs: 10_000,
    checkpoint: { label, ageMs: 10_200 },
    stacks: [],
    waitsFor: [],
  };
}

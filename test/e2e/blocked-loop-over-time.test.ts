import { fileURLToPath } from 'node:url';
import { CollectorStub, runScenario } from '@hangwatch/test-utils';
import { describe, expect, test } from 'vitest';
import { nodes, oldestAndNewest } from '../each-node.ts';

const THOUSAND = fileURLToPath(new URL('../scenarios/blocked-loop/thousand.mjs', import.meta.url));
const TIMES = 1_000;
/** Of the versions between the oldest and the newest. */
const FEWER = 250;
/** Of a thousand that leak, more would be left. */
const FEW = 10;
const LONG = { timeout: 240_000 };

interface Look {
  readonly heap: number;
  readonly watchdogHeap: number;
  readonly descriptors: number;
  readonly threads: number;
  readonly resources: string[];
  readonly messages: number;
}

interface Outcome {
  readonly first: Look;
  readonly last: Look;
  readonly between: number;
  readonly sessions: { readonly connected: number; readonly disconnected: number; readonly most: number };
  readonly pauses: number;
  readonly url: string | null;
  readonly workers: number;
  readonly endsAt: number;
}

const MATRIX = nodes.map((binary) => ({ ...binary, times: oldestAndNewest.includes(binary) ? TIMES : FEWER }));

// All at once: they take up to a minute each, and mostly wait.
describe.concurrent.each(MATRIX)('on Node $version', ({ path: node, times }) => {
  test(`${times} blocks in a row leak nothing, and leave no session behind`, LONG, async () => {
    const collector = await CollectorStub.start();
    const { stdout, stderr, code } = await runScenario(THOUSAND, {
      node,
      execArgv: ['--expose-gc'],
      args: [String(times)],
      env: { HANGWATCH_COLLECTOR: collector.url },
      timeoutMs: LONG.timeout,
    });
    const endedAt = Date.now();
    await collector.close();
    expect({ code, waits: stderr.includes('Waiting for the debugger') }).toEqual({ code: 0, waits: false });
    const { first, last, between, sessions, pauses, url, workers, endsAt } = JSON.parse(stdout) as Outcome;
    // Else nothing was put to the test.
    expect(pauses).toBeGreaterThan(times / 2);
    expect(sessions.connected).toBeGreaterThanOrEqual(pauses);
    expect(sessions.disconnected).toBe(sessions.connected);
    // Without the minute between two pauses, one may be on its way out when the next begins.
    expect(sessions.most).toBeLessThanOrEqual(2);
    expect({ url, workers }).toEqual({ url: null, workers: 1 });
    expect(last.resources).toEqual(first.resources);
    // A connection to the collector may have come or gone.
    expect(last.descriptors).toBeLessThan(first.descriptors + FEW);
    expect(last.threads).toBeLessThan(first.threads + FEW);
    // A session that is kept holds its scripts: 100 kB and more.
    expect((last.heap - first.heap) / between).toBeLessThan(4_000);
    expect((last.watchdogHeap - first.watchdogHeap) / between).toBeLessThan(4_000);
    // Some heartbeats, and nothing that grows with the number of blocks before.
    expect((last.messages - first.messages) / between).toBeLessThan(20);
    expect(endedAt - endsAt).toBeLessThan(10_000);
    expect(collector.refused).toEqual([]);
  });
});

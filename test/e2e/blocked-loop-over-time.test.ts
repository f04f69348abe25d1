import { fileURLToPath } from 'node:url';
import { CollectorStub, nodeBinaries, runScenario } from '@hangwatch/test-utils';
import { describe, expect, test } from 'vitest';
import { BlockedServer } from './blocked-server.ts';

const THOUSAND = fileURLToPath(new URL('../scenarios/blocked-loop/thousand.mjs', import.meta.url));
const TIMES = 1_000;
const IDLE_MS = 60_000;
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

// All at once: they take a minute each, and mostly wait.
describe.concurrent.each(nodeBinaries())('on Node $version', ({ path: node }) => {
  test('a thousand blocks in a row leak nothing, and leave no session behind', LONG, async () => {
    const collector = await CollectorStub.start();
    const { stdout, stderr, code } = await runScenario(THOUSAND, {
      node,
      execArgv: ['--expose-gc'],
      args: [String(TIMES)],
      env: { HANGWATCH_COLLECTOR: collector.url },
      timeoutMs: LONG.timeout,
    });
    const endedAt = Date.now();
    await collector.close();
    expect({ code, waits: stderr.includes('Waiting for the debugger') }).toEqual({ code: 0, waits: false });
    const { first, last, between, sessions, pauses, url, workers, endsAt } = JSON.parse(stdout) as Outcome;
    // Else nothing was put to the test.
    expect(pauses).toBeGreaterThan(TIMES / 2);
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
    expect((last.heap - first.heap) / between).toBeLessThan(1_000);
    expect((last.watchdogHeap - first.watchdogHeap) / between).toBeLessThan(1_000);
    // Some heartbeats, and nothing that grows with the number of blocks before.
    expect((last.messages - first.messages) / between).toBeLessThan(20);
    expect(endedAt - endsAt).toBeLessThan(10_000);
    expect(collector.refused).toEqual([]);
  });

  test('a server that is idle for a minute, and one that was stopped and goes on, report nothing', LONG, async () => {
    const options = { timeout: 2_000, scanInterval: 100 };
    const [idle, stopped] = await Promise.all([
      BlockedServer.start(node, { ...options, blockMs: 1_800 }),
      BlockedServer.start(node, { ...options, blockMs: 1_800 }),
    ]);
    try {
      const idleSince = Date.now();
      expect((await idle.request('/ok')).status).toBe(200);
      expect((await stopped.request('/ok')).status).toBe(200);
      void stopped.request('/waiting');
      expect((await stopped.request('/ok')).status).toBe(200);
      // Longer than its timeout, and than the threshold.
      stopped.scenario.child.kill('SIGSTOP');
      await new Promise((resolve) => setTimeout(resolve, 3_000));
      stopped.scenario.child.kill('SIGCONT');
      expect((await stopped.request('/ok')).status).toBe(200);
      expect(stopped.collector.dumps).toEqual([]);
      // What blocks now is reported, as one block, and who waits is reported after its timeout: the watchdog was there all the time.
      await stopped.block('/atomics');
      const hang = await stopped.collector.next(({ kind }) => kind === 'hang');
      expect(hang.requests.find(({ state }) => state === 'stuck')?.idleMs).toBeGreaterThanOrEqual(options.timeout);
      expect(stopped.collector.dumps.filter(({ kind }) => kind === 'recovered')).toHaveLength(1);
      await new Promise((resolve) => setTimeout(resolve, idleSince + IDLE_MS - Date.now()));
      expect(idle.collector.dumps).toEqual([]);
      // Nor has it gone to sleep for good.
      await idle.block('/atomics');
    } finally {
      await Promise.all([idle.stop(), stopped.stop()]);
    }
  });
});

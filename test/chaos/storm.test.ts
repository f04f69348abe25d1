import { Agent, get } from 'node:http';
import { setTimeout as sleep } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import type { Dump } from '@hangwatch/protocol';
import { CollectorStub, Scenario } from '@hangwatch/test-utils';
import { expect, test } from 'vitest';

const STORM = fileURLToPath(new URL('../scenarios/chaos/storm.mjs', import.meta.url));
const REQUESTS = 10_000;
/** What one process may send at once (core/src/watchdog/reports/storm-control.ts), and what comes due while this test runs. */
const MOST_DUMPS = 20 + 20;
/** What one dump may take (core/src/watchdog/delivery/fit-dump.ts). */
const DUMP_CHARS = 4 * 1024 * 1024;

async function start(options: string, collector: CollectorStub): Promise<{ run: Scenario; port: number }> {
  const run = new Scenario(STORM, { args: [options], env: { HANGWATCH_COLLECTOR: collector.url }, timeoutMs: 120_000 });
  const line = await run.until(({ stdout }) => (stdout.includes('\n') ? stdout : undefined));
  return { run, port: (JSON.parse(line) as { port: number }).port };
}

function request(port: number, agent: Agent): Promise<number> {
  const beganMs = performance.now();
  return new Promise((resolve, reject) => {
    get({ host: '127.0.0.1', port, path: '/healthy', agent }, (response) => {
      response.resume().on('end', () => resolve(performance.now() - beganMs));
    }).on('error', reject);
  });
}

const median = (list: readonly number[]): number => [...list].sort((a, b) => a - b)[list.length >> 1] ?? 0;

test('10,000 requests stuck at once, in 50 groups: bounded dumps and bytes, and the others go on', async () => {
  const collector = await CollectorStub.start();
  const options = JSON.stringify({ timeout: 1_500, scanInterval: 150 });
  const [watched, plain] = await Promise.all([start(options, collector), start('off', collector)]);
  const agents = [new Agent({ keepAlive: true }), new Agent({ keepAlive: true })] as const;
  try {
    for (const { run } of [watched, plain]) {
      run.child.stdin.write(`storm ${REQUESTS}\n`);
      await run.until(({ stdout }) => (stdout.includes('stormed') ? true : undefined));
    }
    // Side by side, one request at a time in turn: what the machine does falls on both. From before the first report
    // until after the last that says anything new.
    const latencies: [number[], number[]] = [[], []];
    const stuckIn = ({ requests }: Dump) => requests.filter(({ state }) => state === 'stuck');
    const told = new Set<number>();
    let untilMs = Number.POSITIVE_INFINITY;
    let seen = 0;
    while (performance.now() < untilMs) {
      for (const dump of collector.dumps.slice(seen)) for (const { id } of stuckIn(dump)) told.add(id);
      seen = collector.dumps.length;
      if (told.size >= REQUESTS && untilMs === Number.POSITIVE_INFINITY) untilMs = performance.now() + 2_000;
      latencies[0].push(await request(watched.port, agents[0]));
      latencies[1].push(await request(plain.port, agents[1]));
      await sleep(1);
    }
    const stuck = collector.dumps.flatMap(stuckIn);
    const lengths = collector.dumps.map((dump) => JSON.stringify(dump).length);
    const ratio = median(latencies[0]) / median(latencies[1]);
    console.log(
      JSON.stringify({
        dumps: collector.dumps.length,
        bytes: lengths.reduce((sum, length) => sum + length, 0),
        stuck: stuck.length,
        ratioOfMedians: ratio,
        samples: latencies[0].length,
      }),
    );
    expect(collector.refused).toEqual([]);
    expect(collector.dumps.length).toBeGreaterThan(0);
    expect(collector.dumps.length).toBeLessThanOrEqual(MOST_DUMPS);
    expect(Math.max(...lengths)).toBeLessThanOrEqual(DUMP_CHARS);
    // Each request is told with its stacks, or with whose they are like: and that is said.
    for (const { requests, evidence } of collector.dumps) {
      const inFull = new Set(requests.filter(({ stacks }) => stacks.length > 0).map(({ id }) => id));
      const others = requests.filter(({ state, id }) => state === 'stuck' && !inFull.has(id));
      expect(others.filter(({ sameAs = 0 }) => !inFull.has(sameAs))).toEqual([]);
      if (others.length > 0) expect(evidence?.note).toContain(' requests stand where others do, and only say which');
    }
    // All 50 groups are named.
    expect(
      new Set(stuck.flatMap((one) => one.stacks.flat().map((frame) => frame.function))).size,
    ).toBeGreaterThanOrEqual(50);
    expect(ratio).toBeLessThan(2);
  } finally {
    for (const agent of agents) agent.destroy();
    await Promise.all([watched.run.stop(), plain.run.stop()]);
    await collector.close();
  }
});

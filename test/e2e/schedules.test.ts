import { fileURLToPath } from 'node:url';
import { nodeBinaries, runScenario } from '@hangwatch/test-utils';
import { expect, test } from 'vitest';

const SCHEDULES = fileURLToPath(new URL('../scenarios/e2e/schedules.mjs', import.meta.url));

interface Counts {
  readonly schedules: number;
  readonly deadlocks: number;
  readonly withSleepers: number;
  readonly falseProofs: number[];
  readonly missed: number[];
}

/** Fifty schedules each. */
const BATCHES = 10;

test.each(nodeBinaries())(
  'random tasks over real mutexes, semaphores and pools: every deadlock is proven, and nothing else, on Node $version',
  async ({ path: node, major }) => {
    const result = await runScenario(SCHEDULES, {
      node,
      args: [String(BATCHES), String(1_000 + major)],
      env: { HANGWATCH_TIMEOUT: '600000', HANGWATCH_BLOCKED_LOOP: 'false' },
    });
    expect(result.code, result.stderr.slice(-2_000)).toBe(0);
    const counts = JSON.parse(result.stdout) as Counts;
    expect(counts).toMatchObject({ schedules: BATCHES * 50, falseProofs: [], missed: [] });
    // Schedules that all go well would say nothing.
    expect(counts.deadlocks).toBeGreaterThan(50);
    expect(counts.withSleepers).toBeGreaterThan(50);
  },
);

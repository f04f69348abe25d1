import { fileURLToPath } from 'node:url';
import { nodeBinaries, runScenario } from '@hangwatch/test-utils';
import { describe, expect, test } from 'vitest';

const SCENARIO = fileURLToPath(new URL('../scenarios/chaos/exits.mjs', import.meta.url));
const ENDINGS = [
  'last handle closed',
  'process.exit',
  'uncaught exception',
  'unhandled rejection',
  'SIGTERM',
  'SIGINT',
  'SIGKILL',
];
/** How much longer than without hangwatch it may take: what goes wrong takes seconds, or for ever. */
const FACTOR = 10;
const FLOOR_MS = 300;

async function run(node: string, ending: string, state: string) {
  // A collector that refuses: reports wait in the spool, and nobody waits for them.
  const { stdout, stderr, code, signal, timedOut } = await runScenario(SCENARIO, {
    node,
    args: [ending, state],
    env: { HANGWATCH_COLLECTOR: 'http://127.0.0.1:9' },
  });
  const tookMs = Date.now() - Number(/ending at (\d+)/.exec(stdout)?.[1]);
  return { how: { code, signal, timedOut, error: /^Error: .*/m.exec(stderr)?.[0] }, tookMs };
}

const binaries = nodeBinaries();
const ends = [...new Set([binaries[0], binaries.at(-1)])].filter((binary) => binary !== undefined);

describe.each(ends)('on Node $version', ({ path: node }) => {
  test.concurrent.each(
    ENDINGS.flatMap((ending) => [
      [ending, 'idle', 'plain'],
      [ending, 'hung', 'plain-hung'],
    ]),
  )('%s, %s: the process ends as it would without', async (ending, state, without) => {
    const [watched, plain] = await Promise.all([run(node, ending, state), run(node, ending, without)]);
    expect(watched.how).toEqual(plain.how);
    expect(watched.how.timedOut).toBe(false);
    expect(watched.tookMs).toBeLessThan(FACTOR * Math.max(plain.tookMs, FLOOR_MS));
  });
});

import { fileURLToPath } from 'node:url';
import { runScenario } from '@hangwatch/test-utils';
import { describe, expect, test } from 'vitest';
import { nodes, oldestAndNewest } from '../each-node.ts';

const scenario = (name: string) => fileURLToPath(new URL(`../scenarios/chaos/${name}.mjs`, import.meta.url));
const HERE = { file: scenario('exits'), args: [] as string[], execArgv: [] as string[] };

/** Every way in which a process can end. */
const ENDINGS: [string, Partial<typeof HERE>][] = [
  ['return', {}],
  ['last handle closed', {}],
  ['beforeExit, and then nothing', {}],
  ['beforeExit, and then more', {}],
  ['process.exit', {}],
  ['process.exit in a thread', { file: scenario('exits-elsewhere'), args: ['thread'] }],
  ['disconnect of a cluster worker', { file: scenario('exits-elsewhere'), args: ['cluster'] }],
  ['uncaught exception', {}],
  ['unhandled rejection', {}],
  ['top-level await that never settles', {}],
  ['SIGTERM', {}],
  ['SIGINT', {}],
  ['SIGHUP', {}],
  ['SIGSEGV', {}],
  // A stack that V8 lets grow beyond what the system gives.
  ['segmentation fault', { execArgv: ['--stack-size=100000'] }],
  ['SIGKILL', {}],
  ['process.abort', {}],
  ['out of memory', { execArgv: ['--max-old-space-size=32'] }],
];
/** As fast as without, but for what a machine that runs several of them adds: what goes wrong takes seconds, or for ever. */
const FACTOR = 2;
const MORE_MS = 1_000;
const TRIES = 3;

async function run(node: string, ending: string, state: string, how: Partial<typeof HERE>) {
  const { file, args, execArgv } = { ...HERE, ...how };
  // A collector that refuses: reports wait in the spool, and nobody waits for them.
  const { stdout, stderr, code, signal, timedOut } = await runScenario(file, {
    node,
    execArgv,
    args: [...args, ending, state],
    env: { HANGWATCH_COLLECTOR: 'http://127.0.0.1:9' },
  });
  const [beganAt, said] = /ending at (\d+)\n([\s\S]*)/.exec(stdout)?.slice(1) ?? [];
  const tookMs = Date.now() - Number(beganAt);
  return { how: { code, signal, timedOut, said, error: /^Error: .*/m.exec(stderr)?.[0] }, tookMs };
}

/** The ends to which Node itself comes in ways that differ between versions. */
const ELSEWHERE = ['return', 'process.exit', 'process.exit in a thread', 'uncaught exception', 'SIGTERM'];
const CASES = nodes.flatMap((binary) =>
  ENDINGS.filter(([ending]) => oldestAndNewest.includes(binary) || ELSEWHERE.includes(ending)).flatMap(
    ([ending, how]) => {
      const at = { ending, node: binary.path, version: binary.version, how };
      const idle = { ...at, state: 'idle', without: 'plain' };
      // With a request that hangs, what hangwatch does at the end is the same code on every version.
      return oldestAndNewest.includes(binary) ? [idle, { ...at, state: 'hung', without: 'plain-hung' }] : [idle];
    },
  ),
);

describe('with hangwatch a process ends as it would without', () => {
  test.concurrent.each(CASES)('$ending, $state, on Node $version', async ({ ending, node, how, state, without }) => {
    for (let tries = 1; ; tries++) {
      const [watched, plain] = await Promise.all([run(node, ending, state, how), run(node, ending, without, how)]);
      expect(watched.how).toEqual(plain.how);
      expect(watched.how.timedOut).toBe(false);
      const boundMs = FACTOR * plain.tookMs + MORE_MS;
      if (watched.tookMs < boundMs) return;
      if (tries === TRIES) expect(watched.tookMs).toBeLessThan(boundMs);
    }
  });
});

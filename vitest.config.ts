import { fileURLToPath } from 'node:url';
import { defineConfig } from 'vitest/config';
import { RetriedTests } from './test/retried-tests.ts';

const source = (path: string) => fileURLToPath(new URL(`packages/${path}`, import.meta.url));

// Unit tests run on the sources. What needs true positions, a worker or a process of its own (contract, end to end, await stacks)
// runs on the built packages, in child processes: vitest rewrites the code that it loads itself.
const alias = [
  {
    find: '@hangwatch/async-hooks-helpers/script-origin',
    replacement: source('async-hooks-helpers/src/script-origin.ts'),
  },
  { find: '@hangwatch/core/adapter', replacement: source('core/src/adapter.ts') },
  { find: '@hangwatch/protocol/sample', replacement: source('protocol/src/sample.ts') },
  { find: '@hangwatch/protocol/validate', replacement: source('protocol/src/validate.ts') },
  { find: /^@hangwatch\/([a-z-]+)$/, replacement: source('$1/src/index.ts') },
];
const common = { testTimeout: 60_000, hookTimeout: 60_000, pool: 'forks' as const };
// What runs in processes of its own meets whatever else the machine does: on CI it may try again, and the run names at its end what did.
const inProcesses = { ...common, maxWorkers: 2, retry: process.env['CI'] === 'true' ? 2 : 0 };
const UNIT = ['packages/*/src/**/*.test.ts', 'test/*.test.ts'];
// These put hooks and a tracker into the process that they run in, and need one of their own. The others share one, and load what they import once.
const HOOKED = ['packages/{async-hooks-helpers,core/src/tracker,express,fastify,koa,locks}/**/*.test.ts'];
// These look at the time, or fill the machine: one file after the other, once all others are through.
const ALONE = ['test/e2e/{blocked-loop*,crash,recorder,threads,shutdown}.test.ts', 'test/chaos/**/*.test.ts'];
const alone = { ...inProcesses, maxWorkers: 1, testTimeout: 180_000, sequence: { groupOrder: 2 } };

export default defineConfig({
  test: {
    reporters: ['default', new RetriedTests()],
    projects: [
      {
        resolve: { alias },
        test: { ...common, isolate: false, maxWorkers: 2, name: 'unit', include: UNIT, exclude: HOOKED },
      },
      { resolve: { alias }, test: { ...common, maxWorkers: 2, name: 'hooked', include: HOOKED } },
      { test: { ...inProcesses, name: 'stacks', include: ['test/stacks/**/*.test.ts'] } },
      { test: { ...inProcesses, name: 'contract', include: ['test/contract/**/*.test.ts'] } },
      {
        test: {
          ...inProcesses,
          name: 'e2e',
          include: ['test/e2e/**/*.test.ts'],
          exclude: ALONE,
          sequence: { groupOrder: 1 },
        },
      },
      { test: { ...alone, name: 'alone', include: ALONE } },
      { test: { ...inProcesses, name: 'packaging', include: ['test/packaging/**/*.test.ts'] } },
    ],
  },
});

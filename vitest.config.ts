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
// These start processes of several versions at once, and look at the time: one file after the other.
const oneByOne = { ...inProcesses, maxWorkers: 1, sequence: { groupOrder: 1 } };

export default defineConfig({
  test: {
    reporters: ['default', new RetriedTests()],
    projects: [
      {
        resolve: { alias },
        test: { ...common, maxWorkers: 2, name: 'unit', include: ['packages/*/src/**/*.test.ts', 'test/*.test.ts'] },
      },
      { test: { ...inProcesses, name: 'stacks', include: ['test/stacks/**/*.test.ts'] } },
      { test: { ...inProcesses, name: 'contract', include: ['test/contract/**/*.test.ts'] } },
      { test: { ...oneByOne, name: 'e2e', include: ['test/e2e/**/*.test.ts'] } },
      { test: { ...oneByOne, testTimeout: 180_000, name: 'chaos', include: ['test/chaos/**/*.test.ts'] } },
      { test: { ...inProcesses, name: 'packaging', include: ['test/packaging/**/*.test.ts'] } },
    ],
  },
});

import { spawnSync } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { expect, test } from 'vitest';

const path = (name: string) => fileURLToPath(new URL(name, import.meta.url));

test('the declarations for CommonJS agree with those for ESM, and are without fault themselves', () => {
  const { stdout } = spawnSync(
    path('../../node_modules/.bin/tsc'),
    // biome-ignore format: one flag and its value beside each other
    ['--noEmit', '--strict', '--module', 'nodenext', '--target', 'es2022', '--types', 'node', path('types/adapters-agree.cts')],
    { encoding: 'utf8', cwd: path('types') },
  );
  // Declarations of third parties are checked as well, and are not ours to judge.
  const ours = stdout.split('\n').filter((line) => /error/.test(line) && !line.includes('node_modules/.pnpm'));
  expect(ours).toEqual([]);
  expect(stdout).not.toContain('Cannot find module');
});

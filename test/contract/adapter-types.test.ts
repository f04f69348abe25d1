import { spawnSync } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { expect, test } from 'vitest';

const path = (name: string) => fileURLToPath(new URL(name, import.meta.url));

test('the declarations for CommonJS agree with those for ESM', () => {
  const { status, stdout } = spawnSync(
    path('../../node_modules/.bin/tsc'),
    // biome-ignore format: one flag and its value beside each other
    ['--noEmit', '--strict', '--skipLibCheck', '--module', 'nodenext', '--target', 'es2022', '--types', 'node', path('types/adapters-agree.cts')],
    { encoding: 'utf8', cwd: path('types') },
  );
  expect(stdout).toBe('');
  expect(status).toBe(0);
});

import { fileURLToPath } from 'node:url';
import { runScenario } from '@hangwatch/test-utils';
import { expect, test } from 'vitest';

const DEMO = fileURLToPath(new URL('../../examples/demo/demo.mjs', import.meta.url));

test('the demo reports all that it stages, where it is, and nothing else', async () => {
  const { stdout, stderr, code } = await runScenario(DEMO, { args: ['--once', '--port', '0'], timeoutMs: 120_000 });
  expect({ code, stderr }, stdout).toEqual({ code: 0, stderr: '' });
  const [, staged, reported] =
    /^demo: (\d+) hangs staged, (\d+) reported, 0 false$/.exec(stdout.trimEnd().split('\n').at(-1) ?? '') ?? [];
  expect(Number(staged), stdout).toBeGreaterThanOrEqual(7);
  expect(reported).toBe(staged);
}, 150_000);

test('the demo says what it takes, and refuses what it cannot use', async () => {
  const help = await runScenario(DEMO, { args: ['--help'] });
  expect(help).toMatchObject({ code: 0, stdout: expect.stringContaining('--once'), stderr: '' });
  const wrong = await runScenario(DEMO, { args: ['--port', 'many'] });
  expect(wrong).toMatchObject({ code: 2, stdout: '' });
  expect(wrong.stderr).toContain('--port must be a number from 0 to 65535, got "many"');
});

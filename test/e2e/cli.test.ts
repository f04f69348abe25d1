import { spawn, spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import { createCollector } from '@hangwatch/collector';
import { nodeBinaries, Scenario, sampleDump } from '@hangwatch/test-utils';
import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest';

const HANGWATCH = fileURLToPath(new URL('../../packages/cli/bin/hangwatch.js', import.meta.url));
const LINKED = fileURLToPath(new URL('../../node_modules/.bin/hangwatch', import.meta.url));
const folder = mkdtempSync(path.join(tmpdir(), 'hangwatch-e2e-cli-'));
const file = path.join(folder, 'dump.json');
const dump = sampleDump({ id: 'from-a-file' });
writeFileSync(file, JSON.stringify(dump));

let url = '';
let close: () => Promise<void> = () => Promise.resolve();
beforeAll(async () => {
  const collector = await createCollector({ port: 0, db: ':memory:' });
  url = await collector.listen();
  close = () => collector.close();
});
afterAll(async () => {
  await close();
  rmSync(folder, { recursive: true, force: true });
});

const running: Scenario[] = [];
afterEach(async () => {
  await Promise.all(running.splice(0).map((scenario) => scenario.stop()));
});
function hangwatch(node: string, args: string[], env: Record<string, string> = {}): Scenario {
  const scenario = new Scenario(HANGWATCH, { node, args, env: { HANGWATCH_COLLECTOR: url, NO_COLOR: '1', ...env } });
  running.push(scenario);
  return scenario;
}
const send = async (id: string) => {
  const headers = { 'content-type': 'application/json' };
  const response = await fetch(`${url}/v1/dumps`, {
    method: 'POST',
    headers,
    body: JSON.stringify(sampleDump({ id })),
  });
  expect([200, 202]).toContain(response.status);
};

describe.each(nodeBinaries())('the command on Node $version', ({ path: node, major }) => {
  test('show prints a file, stdin, and a dump of the collector', async () => {
    const fromFile = await hangwatch(node, ['show', file]).ended;
    expect(fromFile).toMatchObject({
      code: 0,
      stderr: '',
      stdout: expect.stringMatching(/^HANG \(no progress\): 2 of 3 requests/),
    });

    const fromStdin = hangwatch(node, ['show', '-']);
    fromStdin.child.stdin.end(JSON.stringify(dump));
    // Only the age differs.
    const ageless = (text: string) => text.replace(/\([^()]* ago\)/, '');
    expect(ageless((await fromStdin.ended).stdout)).toBe(ageless(fromFile.stdout));

    await send(`show-${major}`);
    const fromCollector = await hangwatch(node, ['show', `show-${major}`, '--json']).ended;
    expect(JSON.parse(fromCollector.stdout)).toMatchObject({ id: `show-${major}`, kind: 'hang' });
  });

  test('tail prints what arrives, and ends on SIGINT with 0', async () => {
    await send(`tail-first-${major}`);
    const tail = hangwatch(node, ['tail', '--json', '--since', `tail-first-${major}`]);
    await send(`tail-second-${major}`);
    await tail.until(({ stdout }) => stdout.includes(`tail-second-${major}`) || undefined);
    const { code, stdout, stderr } = await tail.stop('SIGINT');
    expect([code, stderr]).toEqual([0, '']);
    expect(
      stdout
        .trimEnd()
        .split('\n')
        .map((line) => (JSON.parse(line) as { id: string }).id),
    ).toEqual([`tail-second-${major}`]);
  });

  test('exit codes: 0, 1 and 2', async () => {
    const ended = await Promise.all([
      hangwatch(node, ['list']).ended,
      hangwatch(node, ['show', 'nothing']).ended,
      hangwatch(node, ['list', '--nope']).ended,
    ]);
    expect(ended.map(({ code }) => code)).toEqual([0, 1, 2]);
    expect(ended[1]?.stderr).toBe('hangwatch: there is neither a file nor a dump "nothing"\n');
    expect(ended[2]?.stderr).toBe("hangwatch: unknown option '--nope'\n");
  });
});

describe('the command', () => {
  test('is linked where npm scripts find it', () => {
    const { status, stdout } = spawnSync(LINKED, ['--version'], { encoding: 'utf8', timeout: 30_000 });
    expect([status, stdout]).toEqual([0, expect.stringMatching(/^\d+\.\d+\.\d+\n$/)]);
  });

  test('colours when asked to, and only then', async () => {
    expect(
      (await hangwatch(process.execPath, ['show', file], { NO_COLOR: '', FORCE_COLOR: '1' }).ended).stdout,
    ).toContain('\u001b[1m');
    expect((await hangwatch(process.execPath, ['show', file], { NO_COLOR: '' }).ended).stdout).not.toContain('\u001b');
  });

  test('ends quietly when nobody reads its output any longer', async () => {
    await send('pipe-1');
    const environment = { ...process.env, HANGWATCH_COLLECTOR: url };
    const tail = spawn(process.execPath, [HANGWATCH, 'tail', '--json', '--since', 'all'], { env: environment });
    let stderr = '';
    tail.stderr.setEncoding('utf8').on('data', (text: string) => {
      stderr += text;
    });
    const ended = new Promise((resolve) => tail.once('close', resolve));
    await new Promise((resolve) => tail.stdout.once('data', resolve));
    tail.stdout.destroy();
    await send('pipe-2');
    expect(await ended).toBe(0);
    expect(stderr).toBe('');
  });

  test('tail survives a restart of the collector on the same database, and misses nothing', async () => {
    const db = path.join(folder, 'restart.db');
    let server = await createCollector({ port: 0, db });
    const address = await server.listen();
    const post = (id: string) =>
      fetch(`${address}/v1/dumps`, {
        method: 'POST',
        headers: { 'content-type': 'application/json' },
        body: JSON.stringify(sampleDump({ id })),
      });
    await post('before');
    const tail = hangwatch(process.execPath, ['tail', '--json', '--since', 'all', '--collector', address]);
    await tail.until(({ stdout }) => stdout.includes('"before"') || undefined);
    await server.close();
    await tail.until(({ stderr }) => stderr.includes('trying again') || undefined);
    server = await createCollector({ port: Number(new URL(address).port), db });
    await server.listen();
    await post('after');
    await tail.until(({ stdout }) => stdout.includes('"after"') || undefined);
    const { stdout } = await tail.stop('SIGTERM');
    expect(
      stdout
        .trimEnd()
        .split('\n')
        .map((line) => (JSON.parse(line) as { id: string }).id),
    ).toEqual(['before', 'after']);
    await server.close();
  });
});

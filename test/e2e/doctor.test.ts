import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { fileURLToPath } from 'node:url';
import { type Collector, createCollector } from '@hangwatch/collector';
import { runScenario, Scenario } from '@hangwatch/test-utils';
import { afterEach, beforeEach, expect, test, vi } from 'vitest';
import { eachNode } from '../each-node.ts';

const HANGWATCH = fileURLToPath(new URL('../../packages/cli/bin/hangwatch.js', import.meta.url));
const APPLICATION = fileURLToPath(new URL('../scenarios/e2e/self-test.mjs', import.meta.url));
// Each of its checks starts Node anew.
vi.setConfig({ testTimeout: 180_000 });

const TOKEN = 'let-me-in-please';

interface Json {
  readonly ok: boolean;
  readonly examined: readonly { kind: string; checks: readonly { name: string; ok: boolean; detail: string }[] }[];
}

eachNode(({ path: node }) => {
  let collector: Collector;
  let url: string;
  let application: Scenario | undefined;
  const servers: Server[] = [];

  beforeEach(async () => {
    collector = await createCollector({ port: 0, db: ':memory:', token: TOKEN });
    url = await collector.listen();
  });
  afterEach(async () => {
    await application?.stop();
    application = undefined;
    await collector.close();
    for (const server of servers.splice(0)) server.close();
  });

  async function startApplication(reportsTo: string): Promise<string> {
    const env = { HANGWATCH_COLLECTOR: reportsTo, HANGWATCH_TOKEN: TOKEN };
    application = new Scenario(APPLICATION, { node, args: ['node:http'], env });
    const { port } = await application.until(({ stdout }) =>
      stdout.includes('\n') ? (JSON.parse(stdout.split('\n')[0] ?? '') as { port: number }) : undefined,
    );
    return `http://127.0.0.1:${port}/self-test`;
  }

  const doctor = (args: string[], env: Record<string, string> = { HANGWATCH_TOKEN: TOKEN }) =>
    runScenario(HANGWATCH, { node, args: ['doctor', ...args], env });
  /** What was looked at, as `ok name` or `failed name`, and the detail of the last. */
  async function examined(args: string[], env?: Record<string, string>) {
    const { code, stdout } = await doctor([...args, '--json'], env);
    const { examined: all } = JSON.parse(stdout) as Json;
    return {
      code,
      kinds: all.map(({ kind }) => kind),
      checks: all.flatMap(({ checks }) => checks.map(({ name, ok }) => `${ok ? 'ok' : 'failed'} ${name}`)),
      last: all.at(-1)?.checks.at(-1)?.detail,
    };
  }
  const ALL_OF_APPLICATION = [
    'ok answers',
    'ok its watchdog finds a staged hang',
    'ok its collector acknowledges the report',
  ];
  const ALL_OF_COLLECTOR = [
    'ok answers',
    'ok takes the token',
    'ok acknowledges a hang that is staged in a child process',
    'ok gives it back',
  ];

  test('an application and its collector: all is well, and the one has what the other sent', async () => {
    const app = await startApplication(url);
    const { code, stdout, stderr } = await doctor([app, url]);
    expect({ code, stderr }).toEqual({ code: 0, stderr: '' });
    expect(stdout).toContain(`application ${app}`);
    expect(stdout).toMatch(/✓ has the application's report: from \S+ on /);
    // biome-ignore lint/suspicious/noControlCharactersInRegex: escape sequences are what must not be there
    expect(stdout).not.toMatch(/✗|\u001b/);
    expect(await examined([app, url])).toMatchObject({
      code: 0,
      kinds: ['application', 'collector'],
      checks: [...ALL_OF_APPLICATION, ...ALL_OF_COLLECTOR, "ok has the application's report"],
    });
  });

  test('what is wrong is said: a token, an address, a collector that the application cannot reach, another one', async () => {
    expect(await examined([url], { HANGWATCH_TOKEN: 'something-else' })).toMatchObject({
      code: 1,
      checks: ['ok answers', 'failed takes the token'],
    });
    const other = createServer((_request, response) => response.writeHead(404).end('<html>'));
    await new Promise<void>((resolve) => other.listen(0, '127.0.0.1', resolve));
    servers.push(other);
    const elsewhere = `http://127.0.0.1:${(other.address() as AddressInfo).port}`;
    expect(await examined([elsewhere])).toMatchObject({
      code: 1,
      kinds: ['unknown'],
      last: expect.stringContaining('HTTP 404'),
    });
    const app = await startApplication(elsewhere);
    expect(await examined([app])).toMatchObject({
      code: 1,
      checks: ['ok answers', 'ok its watchdog finds a staged hang', 'failed its collector acknowledges the report'],
      last: expect.stringContaining('answered 404'),
    });
    expect(await examined([app], { HANGWATCH_TOKEN: 'something-else' })).toMatchObject({
      code: 1,
      checks: ['ok answers', 'failed takes the token'],
    });
    await new Promise((resolve) => other.close(resolve));
    expect(await examined([elsewhere])).toMatchObject({ code: 1, last: expect.stringContaining('ECONNREFUSED') });
  });

  test('an application that reports to another collector is told apart', async () => {
    const second = await createCollector({ port: 0, db: ':memory:', token: TOKEN });
    try {
      const app = await startApplication(await second.listen());
      const { code, checks } = await examined([app, url]);
      expect({ code, last: checks.at(-1) }).toEqual({ code: 1, last: "failed has the application's report" });
      expect(checks.slice(0, -1)).toEqual([...ALL_OF_APPLICATION, ...ALL_OF_COLLECTOR]);
    } finally {
      await second.close();
    }
  });

  test('called wrongly it ends with 2, and explains itself with --help', async () => {
    expect(await doctor([])).toMatchObject({ code: 2, stdout: '' });
    expect(await doctor(['collector:4747'])).toMatchObject({
      code: 2,
      stderr: expect.stringContaining('http or https URLs'),
    });
    expect(await doctor(['--help'])).toMatchObject({
      code: 0,
      stdout: expect.stringContaining('hangwatch doctor http'),
    });
  });
});

import { createServer, get, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { fileURLToPath } from 'node:url';
import type { SelfTestPassed } from '@hangwatch/core';
import { CollectorStub, Scenario } from '@hangwatch/test-utils';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { eachNode } from '../each-node.ts';

const APPLICATION = fileURLToPath(new URL('../scenarios/e2e/self-test.mjs', import.meta.url));

interface Answer {
  readonly results: readonly (SelfTestPassed | { ok: false; skipped: string } | { code: string; message: string })[];
  readonly hangs: number;
  readonly inFlight?: number;
}

eachNode(({ path: node, major }) => {
  let collector: CollectorStub;
  let scenario: Scenario;
  let port: number;
  let lines: number;
  const servers: Server[] = [];

  beforeEach(async () => {
    collector = await CollectorStub.start();
  });
  afterEach(async () => {
    await scenario.stop();
    await collector.close();
    for (const server of servers.splice(0)) {
      server.closeAllConnections();
      server.close();
    }
    expect(collector.refused).toEqual([]);
  });

  async function start(framework: string, env: Record<string, string> = {}, execArgv: string[] = []): Promise<void> {
    lines = 0;
    const args = [framework];
    scenario = new Scenario(APPLICATION, { node, args, execArgv, env: { HANGWATCH_COLLECTOR: collector.url, ...env } });
    port = ((await nextLine()) as { port: number }).port;
  }

  async function nextLine(): Promise<unknown> {
    const at = lines++;
    return JSON.parse(
      await scenario.until(({ stdout }) => (stdout.split('\n').length > at + 1 ? stdout.split('\n')[at] : undefined)),
    );
  }

  async function run(command = 'run'): Promise<Answer> {
    scenario.child.stdin.write(`${command}\n`);
    return (await nextLine()) as Answer;
  }

  async function answering(status: number, at = 0): Promise<Server> {
    const server = createServer((request, response) => {
      request.resume().on('end', () => response.writeHead(status).end());
    });
    await new Promise<void>((resolve) => server.listen(at, '127.0.0.1', resolve));
    servers.push(server);
    return server;
  }

  const portOf = (server: Server) => (server.address() as AddressInfo).port;

  test.each(['node:http', 'express', 'koa', 'fastify'])(
    '%s: a staged hang is found and acknowledged, is called what it is, and leaves nothing',
    async (framework) => {
      await start(framework);
      const { results, hangs, inFlight } = await run();
      const [result] = results as [SelfTestPassed];
      const [dump] = collector.dumps;
      expect(result).toMatchObject({ ok: true, dumpId: dump?.id, collector: collector.url });
      expect(result.detectedMs).toBeGreaterThanOrEqual(100);
      expect(result.acknowledgedMs).toBeGreaterThanOrEqual(result.detectedMs);
      expect(dump).toMatchObject({
        kind: 'hang',
        selfTest: true,
        requests: [{ route: 'hangwatch self-test', state: 'stuck' }],
      });
      expect(dump?.verdict.summary).toMatch(/^self-test, staged on purpose: GET hangwatch self-test/);
      expect(dump?.requests[0]?.stacks[0]?.[0]).toMatchObject({ function: 'hangOnPurpose', kind: 'hangwatch' });
      const recovered = await collector.next(({ kind }) => kind === 'recovered');
      expect(recovered).toMatchObject({ selfTest: true, follows: dump?.id });
      expect({ hangs, inFlight }).toEqual({ hangs: 0, inFlight: 0 });
      scenario.child.stdin.write('close\n');
      expect(await scenario.ended).toMatchObject({ code: 0, stderr: '' });
    },
  );

  test('who asks while one runs gets its result; a real hang is reported beside it, and knows nothing of it', async () => {
    await start('node:http', { HANGWATCH_TIMEOUT: '150' });
    get({ host: '127.0.0.1', port, path: '/hang', agent: false }).on('error', () => undefined);
    const { results } = await run('run 3');
    expect(new Set(results.map((result) => ('ok' in result && result.ok ? result.dumpId : result)))).toHaveProperty(
      'size',
      1,
    );
    const real = await collector.next(({ kind, selfTest }) => kind === 'hang' && selfTest === undefined);
    expect(real.requests.map(({ path }) => path)).toEqual(['/hang']);
    expect(collector.dumps.filter(({ kind, selfTest }) => kind === 'hang' && selfTest).length).toBe(1);
  });

  test('a collector that is down is the step that failed; once it is up the next test passes, whatever was said before', async () => {
    const gone = await answering(202);
    const at = portOf(gone);
    await new Promise((resolve) => gone.close(resolve));
    await start('node:http', { HANGWATCH_COLLECTOR: `http://127.0.0.1:${at}` });
    for (let i = 0; i < 2; i++) {
      expect((await run()).results).toEqual([
        {
          code: 'HANGWATCH_ERR_SELF_TEST_NOT_DELIVERED',
          message: expect.stringMatching(/its report was not delivered: http:\S+: .*ECONNREFUSED/),
        },
      ]);
    }
    await answering(202, at);
    expect((await run()).results).toMatchObject([{ ok: true }]);
  });

  test.each([
    [401, /refuses the token: 401$/],
    [400, /refuses the report: 400$/],
    [503, /is busy: 503$/],
    [500, /answered 500$/],
  ])('a collector that answers %d is the step that failed', async (status, message) => {
    await start('express', { HANGWATCH_COLLECTOR: `http://127.0.0.1:${portOf(await answering(status))}` });
    expect((await run()).results).toEqual([
      { code: 'HANGWATCH_ERR_SELF_TEST_NOT_DELIVERED', message: expect.stringMatching(message) },
    ]);
  });

  test('a collector that never answers, and a watchdog that has no time, fail within their limit', async () => {
    const silent = createServer(() => undefined);
    await new Promise<void>((resolve) => silent.listen(0, '127.0.0.1', resolve));
    servers.push(silent);
    await start('node:http', { HANGWATCH_COLLECTOR: `http://127.0.0.1:${portOf(silent)}` });
    expect((await run('run 1 {"timeout":2000}')).results).toMatchObject([
      { code: 'HANGWATCH_ERR_SELF_TEST_NOT_DELIVERED', message: expect.stringContaining('within 2000 ms') },
    ]);
    expect(await run('run 1 {"timeout":1}')).toMatchObject({
      results: [{ code: 'HANGWATCH_ERR_SELF_TEST_NOT_DETECTED' }],
      inFlight: 0,
    });
  });

  test('without a collector, without a registration, switched off, not allowed: each is said', async () => {
    await start('node:http', { HANGWATCH_COLLECTOR: '' });
    expect((await run()).results).toMatchObject([{ code: 'HANGWATCH_ERR_SELF_TEST_NOT_DELIVERED' }]);
    await scenario.stop();
    await start('none');
    expect((await run()).results).toMatchObject([{ code: 'HANGWATCH_ERR_SELF_TEST_NOT_RUNNING' }]);
    expect((await run('run 1 {"timeout":0}')).results).toMatchObject([{ code: 'HANGWATCH_ERR_OPTION' }]);
    await scenario.stop();
    await start('fastify', { HANGWATCH_DISABLED: '1' });
    expect((await run()).results).toEqual([{ ok: false, skipped: expect.stringContaining('switched off') }]);
    if (major < 24) return;
    await scenario.stop();
    await start('node:http', {}, ['--permission', '--allow-fs-read=*', ...(major > 24 ? ['--allow-net'] : [])]);
    expect((await run()).results).toMatchObject([{ code: 'HANGWATCH_ERR_SELF_TEST_NOT_RUNNING' }]);
  });

  test('the handler wants the token, answers with the result, and stages no second hang within ten seconds', async () => {
    await start('node:http', { HANGWATCH_TOKEN: 'let-me-in' });
    const ask = async (headers: Record<string, string> = {}) => {
      const response = await fetch(`http://127.0.0.1:${port}/self-test`, { headers });
      return { status: response.status, body: (await response.json()) as { dumpId?: string } };
    };
    expect(await ask()).toMatchObject({ status: 401, body: { ok: false } });
    expect(await ask({ authorization: 'Bearer let-me-ou' })).toMatchObject({ status: 401 });
    expect(collector.dumps).toEqual([]);
    const first = await ask({ authorization: 'Bearer let-me-in' });
    expect(first).toMatchObject({
      status: 200,
      body: { hangwatch: 'self-test', ok: true, dumpId: collector.dumps[0]?.id },
    });
    expect(await ask({ authorization: 'Bearer let-me-in' })).toEqual(first);
    expect(collector.dumps.filter(({ kind }) => kind === 'hang')).toHaveLength(1);
  });
});

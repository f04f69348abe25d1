import { mkdtempSync, rmSync } from 'node:fs';
import { get } from 'node:http';
import { connect } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import type { Dump } from '@hangwatch/protocol';
import { CollectorStub, nodeBinaries, Scenario } from '@hangwatch/test-utils';
import { describe, expect, test } from 'vitest';

const APPLICATIONS = fileURLToPath(new URL('../scenarios/e2e/shutdown.mjs', import.meta.url));
const binaries = nodeBinaries();
const isShutdown = ({ kind }: Dump) => kind === 'shutdown';

interface Application {
  readonly port: number;
  readonly collector: CollectorStub;
  readonly run: Scenario;
  /** The next line on its stdin: the first closes it, the second lets go of what holds it. */
  next(): void;
}

async function withApplication(
  name: string,
  options: Readonly<Record<string, unknown>>,
  node: string | undefined,
  work: (application: Application) => Promise<void>,
): Promise<void> {
  const collector = await CollectorStub.start();
  // A spool of its own: whoever starts posts what others have left in a common one.
  const spoolDir = mkdtempSync(join(tmpdir(), 'hangwatch-shutdown-'));
  const all = {
    timeout: 60_000,
    scanInterval: 50,
    shutdownTimeout: 500,
    collector: collector.url,
    spoolDir,
    ...options,
  };
  const run = new Scenario(APPLICATIONS, { node, args: [name, JSON.stringify(all)] });
  try {
    const port = await run.until(({ stdout }) => {
      const found = /\{"port":(\d+)\}/.exec(stdout);
      return found === null ? undefined : Number(found[1]);
    });
    await work({ port, collector, run, next: () => run.child.stdin.write('next\n') });
    expect(collector.refused).toEqual([]);
  } finally {
    await run.stop();
    await collector.close();
    rmSync(spoolDir, { recursive: true, force: true });
  }
}

/** A request that hangs. Resolves once it does, with the answer to come. */
async function hang({ port, run }: Application): Promise<{ answer: Promise<number | undefined> }> {
  const answer = new Promise<number | undefined>((resolve) => {
    get({ host: '127.0.0.1', port, path: '/hang', agent: false }, (response) => {
      response.resume().on('end', () => resolve(response.statusCode));
    }).on('error', () => resolve(undefined));
  });
  await run.until(({ stdout }) => (stdout.includes('held') ? true : undefined));
  return { answer };
}

/** It is let go, and ends by itself: neither a timer nor the watchdog's thread keeps it. */
async function endsWellAfter({ run, next }: Application): Promise<void> {
  next();
  const { code, stderr, timedOut } = await run.ended;
  expect({ code, stderr, timedOut }).toEqual({ code: 0, stderr: '', timedOut: false });
}

describe.each(binaries)('on Node $version', ({ path: node }) => {
  test.concurrent.each([
    ['http', 'server.close()', 'answer'],
    ['fastify', 'app.close()', 'hangs'],
    ['express', 'server.close()', 'hangs'],
  ])('%s: the request that holds it is shown with its stack', async (name, what, handler) => {
    await withApplication(name, {}, node, async (application) => {
      const { collector, next } = application;
      const { answer } = await hang(application);
      next();
      const dump = await collector.next(isShutdown);
      expect(dump.verdict.evidence).toBe('not-closed');
      expect(dump.verdict.summary).toMatch(
        new RegExp(
          `^${what.replaceAll(/[.()]/g, '\\$&')} has taken [\\d.]+ m?s and is not done: one request is in flight, GET /hang for .*, which has made no progress for .*: suspended in query \\(`,
        ),
      );
      expect(dump.requests).toMatchObject([{ path: '/hang', state: 'moving' }]);
      expect(dump.requests[0]?.stacks[0]?.map((frame) => frame.function)).toEqual(
        expect.arrayContaining(['query', handler]),
      );
      expect(Object.keys(dump.resources).length).toBeGreaterThan(0);
      await endsWellAfter(application);
      expect(await answer).toBe(200);
      expect(collector.dumps.filter(isShutdown)).toHaveLength(1);
    });
  });

  test.concurrent('the watchdog lives while Fastify drains: what hangs only then is reported, and what recovers', async () => {
    await withApplication('fastify', { timeout: 500, shutdownTimeout: 60_000 }, node, async (application) => {
      const { collector, next } = application;
      await hang(application);
      next();
      const hung = await collector.next(({ kind }) => kind === 'hang');
      expect(hung.requests[0]?.stacks[0]?.map((frame) => frame.function)).toContain('query');
      await endsWellAfter(application);
      // It has finished after all, and that is told, too, although everything closes at this moment.
      expect(collector.dumps.map(({ kind }) => kind)).toEqual(['hang', 'recovered']);
    });
  });

  test.concurrent('where no request is left it says what keeps the process: a plugin of Fastify’s that does not close', async () => {
    await withApplication('fastifyHook', {}, node, async (application) => {
      const { collector, next } = application;
      next();
      const dump = await collector.next(isShutdown);
      expect(dump.verdict.summary).toMatch(
        /^app\.close\(\) has taken .* and is not done: no request is in flight; the process is kept by .*1 listening server \(TCPServerWrap\)/,
      );
      expect(dump.requests).toEqual([]);
      await endsWellAfter(application);
    });
  });
});

const node = binaries[0]?.path;

test('where no request is left it says what keeps the process: an upgraded connection', async () => {
  await withApplication('upgraded', {}, node, async (application) => {
    const { port, collector, next } = application;
    const socket = connect(port, '127.0.0.1');
    socket.write('GET / HTTP/1.1\r\nhost: x\r\nconnection: upgrade\r\nupgrade: own\r\n\r\n');
    await new Promise((resolve) => socket.once('data', resolve));
    next();
    const dump = await collector.next(isShutdown);
    expect(dump.verdict.summary).toMatch(/^server\.close\(\) has taken .*1 connection \(TCPSocketWrap\)/);
    expect(dump.requests).toEqual([]);
    await endsWellAfter(application);
    socket.destroy();
  });
});

test('close() of a middleware: what is in flight is watched on, and waited for, but not for long', async () => {
  await withApplication('koa', { timeout: 500 }, node, async (application) => {
    const { collector, next, run } = application;
    await hang(application);
    const hung = await collector.next(({ kind }) => kind === 'hang');
    next();
    const dump = await collector.next(isShutdown);
    expect(dump.verdict.summary).toMatch(/^close\(\) has taken .*one request is in flight, GET \/hang /);
    expect(dump.follows).toBe(hung.id);
    const closedInMs = await run.until(({ stdout }) => {
      const found = /"closedInMs":([\d.]+)/.exec(stdout);
      return found === null ? undefined : Number(found[1]);
    });
    expect(closedInMs).toBeGreaterThan(1_900);
    await endsWellAfter(application);
    expect(collector.dumps.at(-1)?.kind).toBe('recovered');
  });
});

test.concurrent.each([
  ['http', { shutdownTimeout: false }],
  ['fastify', { shutdownTimeout: 30_000 }],
])('%s with %j: nothing is said, and nothing keeps the process', async (name, options) => {
  await withApplication(name, options, node, async (application) => {
    const { collector, next } = application;
    const { answer } = await hang(application);
    next();
    await new Promise((resolve) => setTimeout(resolve, 700));
    await endsWellAfter(application);
    expect(await answer).toBe(200);
    expect(collector.dumps).toEqual([]);
  });
});

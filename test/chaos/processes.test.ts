import { copyFileSync, mkdirSync, mkdtempSync, rmSync } from 'node:fs';
import { get } from 'node:http';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import type { Dump } from '@hangwatch/protocol';
import { CollectorStub, nodeBinaries, Scenario } from '@hangwatch/test-utils';
import { describe, expect, test } from 'vitest';

const scenario = (name: string) => fileURLToPath(new URL(`../scenarios/chaos/${name}.mjs`, import.meta.url));
const HANGING = scenario('hanging-server');
/** Inside the workspace, so that packages are found from here. */
const WATCHED = fileURLToPath(new URL('../.watched', import.meta.url));
const binaries = nodeBinaries();
const isHang = ({ kind }: Dump) => kind === 'hang';

interface Listening {
  readonly port: number;
  readonly pid: number;
}

/** The servers that have said that they listen. */
function listening(stdout: string): Listening[] {
  return [...stdout.matchAll(/\{"port":(\d+),"pid":(\d+)\}/g)].map(([, port, pid]) => ({
    port: Number(port),
    pid: Number(pid),
  }));
}

const untilListening = (run: Scenario, count: number) =>
  run.until(({ stdout }) => {
    const servers = listening(stdout);
    return servers.length >= count ? servers : undefined;
  });

function request(port: number, path: string): Promise<string> {
  return new Promise((resolve, reject) => {
    get({ host: '127.0.0.1', port, path, agent: false }, (response) => {
      let text = '';
      response.setEncoding('utf8').on('data', (chunk: string) => {
        text += chunk;
      });
      response.on('end', () => resolve(text));
    }).on('error', reject);
  });
}

const hang = (port: number) => void request(port, '/hang').catch(() => undefined);

async function freePort(): Promise<number> {
  const server = createServer();
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const address = server.address();
  await new Promise((resolve) => server.close(resolve));
  if (address === null || typeof address === 'string') throw new Error('a server of net has a port');
  return address.port;
}

async function withRun(
  file: string,
  options: { node?: string; execArgv?: string[]; env?: Record<string, string> },
  work: (run: Scenario, collector: CollectorStub) => Promise<void>,
): Promise<void> {
  const collector = await CollectorStub.start();
  const run = new Scenario(file, { ...options, env: { HANGWATCH_COLLECTOR: collector.url, ...options.env } });
  try {
    await work(run, collector);
    expect(collector.refused).toEqual([]);
  } finally {
    // node --watch passes this on to the program that it runs.
    await run.stop('SIGTERM');
    await collector.close();
  }
}

/** Hangs one request in each of the processes, which share a port. */
async function hangInEach(port: number, pids: readonly number[], collector: CollectorStub): Promise<void> {
  const reported = () => new Set(collector.dumps.filter(isHang).map((dump) => dump.process.pid));
  // The system hands connections out as it likes.
  for (let i = 0; i < 60 && pids.some((pid) => !reported().has(pid)); i++) {
    hang(port);
    await new Promise((resolve) => setTimeout(resolve, 250));
  }
  expect([...reported()].sort()).toEqual([...pids].sort());
  expect(new Set(collector.dumps.map((dump) => dump.process.instance)).size).toBe(pids.length);
}

describe('cluster', () => {
  test('each worker reports its own hangs, under its own pid', async () => {
    const port = await freePort();
    await withRun(scenario('cluster'), { env: { TEST_PORT: String(port) } }, async (run, collector) => {
      const servers = await untilListening(run, 2);
      await hangInEach(
        port,
        servers.map(({ pid }) => pid),
        collector,
      );
      expect(run.stderr).toBe('');
    });
  });
});

describe("PM2's cluster mode", () => {
  test('each process reports its own hangs, under its own pid', async () => {
    const home = mkdtempSync(join(tmpdir(), 'hangwatch-pm2-'));
    const port = await freePort();
    try {
      await withRun(
        scenario('pm2'),
        { env: { PM2_HOME: home, TEST_PORT: String(port), PM2_DISCRETE_MODE: 'true' } },
        async (run, collector) => {
          const pids = await run.until(({ stdout }) => {
            const found = /\{"pids":\[(\d+),(\d+)\]\}/.exec(stdout);
            return found === null ? undefined : [Number(found[1]), Number(found[2])];
          });
          for (;;) {
            const up = await request(port, '/ok').catch(() => undefined);
            if (up !== undefined) break;
            await new Promise((resolve) => setTimeout(resolve, 50));
          }
          await hangInEach(port, pids, collector);
          run.child.stdin.write('end\n');
          await run.ended;
        },
      );
    } finally {
      rmSync(home, { recursive: true, force: true });
    }
  });
});

describe.each(binaries)('on Node $version', ({ path: node, major }) => {
  test('a server in a thread of the application is watched like one in its main thread', async () => {
    await withRun(scenario('in-thread'), { node }, async (run, collector) => {
      const [server] = await untilListening(run, 1);
      hang(server?.port ?? 0);
      const dump = await collector.next(isHang);
      expect(dump.requests[0]?.path).toBe('/hang');
      expect(dump.requests[0]?.stacks[0]?.length).toBeGreaterThan(0);
      expect(run.stderr).toBe('');
    });
  });

  test('node --watch: the program reports before it is started anew, and after', async () => {
    mkdirSync(WATCHED, { recursive: true });
    const folder = mkdtempSync(join(WATCHED, 'case-'));
    const file = join(folder, 'server.mjs');
    copyFileSync(HANGING, file);
    try {
      await withRun(file, { node, execArgv: ['--watch', '--watch-preserve-output'] }, async (run, collector) => {
        const [first] = await untilListening(run, 1);
        hang(first?.port ?? 0);
        await collector.next((dump) => isHang(dump) && dump.process.pid === first?.pid);
        copyFileSync(HANGING, file);
        const [, second] = await untilListening(run, 2);
        expect(second?.pid).not.toBe(first?.pid);
        hang(second?.port ?? 0);
        await collector.next((dump) => isHang(dump) && dump.process.pid === second?.pid);
      });
    } finally {
      rmSync(folder, { recursive: true, force: true });
    }
  });

  test('--permission refuses threads: said once, and requests are served', async () => {
    const flag = major < 23 ? '--experimental-permission' : '--permission';
    // From Node 25 on the network is refused, too, unless it is allowed.
    const execArgv = [flag, '--allow-fs-read=*', ...(major >= 25 ? ['--allow-net'] : [])];
    await withRun(HANGING, { node, execArgv }, async (run, collector) => {
      const [server] = await untilListening(run, 1);
      const port = server?.port ?? 0;
      expect(await request(port, '/ok')).toBe(String(server?.pid));
      expect(await request(port, '/ok')).toBe(String(server?.pid));
      const said = await run.until(({ stderr }) => (stderr.includes('HANGWATCH_ERR') ? stderr : undefined));
      expect(said.match(/HANGWATCH_ERR_WATCHDOG_START/g)).toHaveLength(1);
      expect(collector.dumps).toEqual([]);
    });
  });
});

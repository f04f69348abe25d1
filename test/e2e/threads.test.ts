import { spawnSync } from 'node:child_process';
import { mkdtempSync, openSync, rmSync, writeSync } from 'node:fs';
import { get } from 'node:http';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import type { Dump } from '@hangwatch/protocol';
import { CollectorStub, Scenario } from '@hangwatch/test-utils';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { eachNode } from '../each-node.ts';
import { blockOf, isBlock, isEnd, ranLast } from './blocked-server.ts';

const THREADS = fileURLToPath(new URL('../scenarios/blocked-loop/threads.mjs', import.meta.url));
const POOL = fileURLToPath(new URL('../scenarios/e2e/pool.mjs', import.meta.url));
const POOL_SIZE = 4;

interface Server {
  readonly port: number;
  readonly pid: number;
  readonly threadId: number;
  readonly clusterWorker?: number;
  readonly lines: Readonly<Record<'hang' | 'loop', number>>;
}

eachNode(({ path: node }) => {
  let collector: CollectorStub;
  let scenario: Scenario | undefined;
  let folder: string;

  beforeEach(async () => {
    collector = await CollectorStub.start();
    folder = mkdtempSync(join(tmpdir(), 'hangwatch-threads-'));
  });
  afterEach(async () => {
    // The workers of a cluster end when their primary does.
    await scenario?.stop();
    await collector.close();
    rmSync(folder, { recursive: true, force: true });
    expect(collector.refused).toEqual([]);
  });

  function start(file: string, args: string[]): Scenario {
    scenario = new Scenario(file, { node, args, env: { HANGWATCH_COLLECTOR: collector.url } });
    return scenario;
  }

  const request = (port: number, path: string) =>
    new Promise<number | string>((resolve) => {
      get({ host: '127.0.0.1', port, path, agent: false }, (response) => {
        response.resume().on('end', () => resolve(response.statusCode ?? 0));
      }).on('error', (error) => resolve(error.message));
    });

  test.each(['threads', 'cluster'])(
    '%s: a hang and a blocked loop are those of their own thread, and of no other',
    async (kind) => {
      const servers = await start(THREADS, [kind]).until(({ stdout }) => {
        const lines = stdout.trim().split('\n').filter(Boolean);
        return lines.length === 2 ? lines.map((line) => JSON.parse(line) as Server) : undefined;
      });
      const [hanging, blocking] = servers;
      if (hanging === undefined || blocking === undefined) throw new Error('two servers');
      const isOf =
        (server: Server) =>
        ({ process: { pid, threadId = 0, clusterWorker } }: Dump) =>
          pid === server.pid && threadId === server.threadId && clusterWorker === server.clusterWorker;

      for (const { port } of servers) expect(await request(port, '/ready')).toBe(200);
      void request(hanging.port, '/hang');
      const answered = request(blocking.port, '/block');
      // A machine that is busy enough may stop the others, too.
      const isThis = (dump: Dump) => isBlock(dump) && ranLast(dump) === 'before the block';
      const isLast = (dump: Dump) =>
        isThis(dump) && (kind === 'threads' || blockOf(dump).stack.some(({ line }) => line === blocking.lines.loop));
      const last = await collector.next(isLast);
      const end = await collector.next((dump) => isEnd(dump) && dump.follows === last.id);
      const hang = await collector.next(({ kind: of }) => of === 'hang');
      expect(await answered).toBe(200);
      expect([hang].map(isOf(hanging))).toEqual([true]);
      expect(hang.requests).toHaveLength(1);
      expect(hang.requests[0]?.stacks[0]?.[0]).toMatchObject({ file: THREADS, line: hanging.lines.hang });

      expect([...collector.dumps.filter(isThis), end].every(isOf(blocking))).toBe(true);
      // Of that thread, and of no other: the others sleep.
      const found = blockOf(last);
      expect(['running', 'waiting-for-cpu']).toContain(found.state);
      expect(found.cpuMs).toBeGreaterThan(0);
      if (kind === 'threads') expect(found.stackNote).toContain('that of a worker thread');
    },
  );

  test("all threads of libuv's pool are busy: that is said, with how many pieces of work wait, and what the threads do", async () => {
    const fifo = join(folder, 'fifo');
    spawnSync('mkfifo', [fifo]);
    const pool = start(POOL, [fifo]);
    const { port } = await pool.until(({ stdout }) =>
      stdout.includes('\n') ? (JSON.parse(stdout.split('\n')[0] ?? '') as { port: number }) : undefined,
    );
    const answers = Array.from({ length: POOL_SIZE }, () => request(port, '/fifo'));
    await pool.until(({ stdout }) => (stdout.split('reading').length > POOL_SIZE ? true : undefined));
    const counted = ['/fs', '/dns'];
    // What Node does not list among its resources, and who waits for it is stuck all the same.
    const waiting = [...counted, '/crypto', '/zlib'];
    answers.push(...waiting.map((path) => request(port, path)));
    const stuck = ({ requests }: Dump) => requests.filter(({ state }) => state === 'stuck').map(({ path }) => path);
    const told = () => new Set(collector.dumps.filter(({ kind }) => kind === 'hang').flatMap(stuck));
    await collector.next(() => ['/fifo', ...waiting].every((path) => told().has(path)));
    const dump = collector.dumps.filter(({ kind }) => kind === 'hang').at(-1);
    expect(dump?.threadPool).toMatchObject({ size: POOL_SIZE, pending: POOL_SIZE + counted.length });
    expect(dump?.threadPool?.threads).toEqual(
      Array.from({ length: POOL_SIZE }, () => ({ state: 'sleeping', what: 'reads from a FIFO', systemCall: 'read' })),
    );
    expect(dump?.verdict.summary).toContain(
      `libuv's pool has ${POOL_SIZE + counted.length} pieces of work for ${POOL_SIZE} threads: at least ${counted.length} wait for a thread`,
    );
    writeSync(openSync(fifo, 'r+'), 'x'.repeat(POOL_SIZE));
    expect(await Promise.all(answers)).toEqual(answers.map(() => 200));
  });
});

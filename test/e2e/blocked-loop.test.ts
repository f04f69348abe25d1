import type { Dump } from '@hangwatch/protocol';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { eachNode, nodes } from '../each-node.ts';
import { OneAtATime } from '../one-at-a-time.ts';
import { appLines, BlockedServer, blockOf, NO_LIMIT, SERVER, WORK } from './blocked-server.ts';

const THRESHOLD_MS = 300;
const OPTIONS = { blockedLoop: { threshold: THRESHOLD_MS }, blockMs: 1_500, watchdog: NO_LIMIT };
/** Work for a processor: one version at a time, or they take it away from each other. Who sleeps needs none. */
const COMPUTING = ['/loop', '/regex', '/gzip', '/json', '/pbkdf2', '/addon', '/due', '/gc'];
const processor = new OneAtATime();
const IDLE_MS = 60_000;
const LONG = { timeout: 240_000 };
/** A busy machine may stop everybody for a while; it does not do so every time. */
const TRIES = 3;

type Blocked = Awaited<ReturnType<BlockedServer['block']>>;

eachNode(({ path: node }) => {
  // One server for all the kinds: most of the time goes into the blocks.
  let server: BlockedServer;
  beforeAll(async () => {
    server = await BlockedServer.start(node, OPTIONS);
    void server.request('/waiting');
  });
  afterAll(() => server.stop());

  /** Blocks, again where a busy machine has made it late. The first report is out within the threshold and half a second, by the process's own clock. */
  async function block(pathname: string, whenReported?: () => void): Promise<Blocked> {
    return COMPUTING.includes(pathname)
      ? processor.run(() => blockInTime(pathname))
      : blockInTime(pathname, whenReported);
  }

  async function blockInTime(pathname: string, whenReported?: () => void): Promise<Blocked> {
    for (let tries = 1; ; tries++) {
      await server.request(`/prepare${pathname}`);
      const blocked = await server.block(pathname, whenReported);
      const { first, beganAt } = blocked;
      expect(blockOf(first).sinceMs).toBeGreaterThanOrEqual(THRESHOLD_MS);
      const tookMs = Date.parse(first?.at ?? '') - beganAt;
      if (tookMs < THRESHOLD_MS + 500) return blocked;
      if (tries === TRIES) throw new Error(`the first report of ${pathname} came after ${tookMs} ms`);
    }
  }

  const requestOf = (dump: Dump | undefined, id: number | undefined) => dump?.requests.find((one) => one.id === id);

  test.each([
    ['/loop', 'loop', 'javascript', 'runs JavaScript'],
    ['/regex', 'regex', 'regular-expression', 'runs a regular expression (test)'],
    ['/atomics', 'atomics', 'thread-wait', 'waits for another thread (Atomics.wait)'],
    ['/gzip', 'gzip', 'native-call', 'is in native code (zlib)'],
    ['/gc', 'gc', 'garbage-collection', 'is busy collecting garbage'],
  ])('%s: the stack says where, and what it is', async (pathname, mark, cause, what) => {
    const { last, end } = await block(pathname);
    const found = blockOf(last);
    expect(appLines(found)).toContain(server.marks[mark]);
    expect(found.stack.find(({ kind }) => kind === 'app')?.file).toBe(WORK);
    // A machine that is busy enough may keep the thread from its CPU altogether.
    expect([cause, 'cpu-starvation']).toContain(found.cause);
    if (found.cause === cause) expect(found.what).toContain(what);
    expect(found.what).toContain(`work.mjs:${server.marks[mark]}:`);
    expect(requestOf(last, found.running)).toMatchObject({
      state: 'stuck',
      path: pathname,
      checkpoint: { label: `before ${pathname}` },
    });
    // Paused in the middle of a block, the main thread tells where the others are suspended.
    const other = last?.requests.find((one) => one.path === '/waiting');
    expect(other?.stacks[0]?.[0]).toMatchObject({ file: SERVER, line: server.marks['waiting'] });
    expect(blockOf(end).sinceMs).toBeGreaterThanOrEqual(found.sinceMs);
    expect(end.follows).toBe(last?.id);
  });

  test('execSync is reported while it runs, as a child process; its line follows when it returns', async () => {
    const { first, last } = await block('/exec');
    expect(blockOf(first)).toMatchObject({ state: 'sleeping', cause: 'child-process', stack: [] });
    expect(blockOf(first).what).toMatch(/^waits for a child process \((sh|sleep)/);
    expect(requestOf(first, blockOf(first).lastRan)?.checkpoint.label).toBe('before /exec');
    expect(last?.follows).toBe(first?.id);
    expect(blockOf(last)).toMatchObject({ cause: 'child-process' });
    expect(blockOf(last).what).toContain(`work.mjs:${server.marks['exec']}:`);
    expect(JSON.stringify(server.collector.dumps)).not.toContain('sleep 1');
  });

  test('readSync on a FIFO is reported as that, while nobody writes; its line follows when it returns', async () => {
    const { first, last } = await block('/fifo', () => server.feedFifo());
    expect(blockOf(first)).toMatchObject({ state: 'sleeping', cause: 'file-system', systemCall: 'read' });
    expect(blockOf(first).what).toContain('reads from a FIFO');
    expect(requestOf(first, blockOf(first).lastRan)?.checkpoint.label).toBe('before /fifo');
    expect(last?.follows).toBe(first?.id);
    expect(blockOf(last).what).toContain(`work.mjs:${server.marks['fifo']}:`);
    expect(JSON.stringify(server.collector.dumps)).not.toContain('hangwatch-blocked-');
  });

  test.each([
    ['/json', 'json', 'was in native code'],
    ['/pbkdf2', 'pbkdf2', 'is in native code (pbkdf2Sync)'],
    ['/addon', 'addon', 'was in native code'],
  ])(
    '%s: native code, with the last checkpoint while it runs, and with its line when it returns',
    async (pathname, mark, what) => {
      const { first, last } = await block(pathname);
      expect(['unknown', 'cpu-starvation']).toContain(blockOf(first).cause);
      expect(['running', 'waiting-for-cpu']).toContain(blockOf(first).state);
      expect(blockOf(first).stack).toEqual([]);
      expect(requestOf(first, blockOf(first).lastRan)).toMatchObject({
        state: 'moving',
        checkpoint: { label: `before ${pathname}` },
      });
      expect(last?.follows).toBe(first?.id);
      expect(blockOf(last).cause).toBe('native-call');
      expect(blockOf(last).what).toContain(what);
      expect(blockOf(last).what).toContain(`work.mjs:${server.marks[mark]}:`);
    },
  );

  test('background work is put down to no request, though one was running all the time', async () => {
    void server.request('/poll');
    const isNobodys = ({ block: found }: Dump) => found?.running === undefined && found?.lastRan === undefined;
    const { last } = await processor.run(() => server.block('/due', undefined, isNobodys));
    expect(appLines(blockOf(last))).toContain(server.marks['background']);
    expect(blockOf(last).running).toBeUndefined();
    expect(blockOf(last).lastRan).toBeUndefined();
    expect(blockOf(last).what).toContain('no request: background work');
    const polling = last?.requests.find(({ path }) => path === '/poll');
    expect(polling?.state).toBe('moving');
  });

  describe('a server of its own', () => {
    async function withServer(
      options: Parameters<typeof BlockedServer.start>[1],
      work: (server: BlockedServer) => Promise<void>,
    ): Promise<void> {
      const server = await BlockedServer.start(node, options);
      try {
        await processor.run(() => work(server));
      } finally {
        await server.stop();
      }
    }

    test('a block that never ends, and is killed from outside, has been reported before', async () => {
      await withServer({ ...OPTIONS, blockMs: 600_000 }, async (server) => {
        void server.request('/loop');
        // On a busy machine the stack comes in the second report.
        await server.collector.next(
          ({ block }) => block !== undefined && appLines(block).includes(server.marks['loop'] ?? 0),
        );
        const { signal } = await server.scenario.stop('SIGTERM');
        expect(signal).toBe('SIGTERM');
      });
    });

    test('without stack: nothing is paused, and the report says so', async () => {
      await withServer({ ...OPTIONS, blockedLoop: { threshold: THRESHOLD_MS, stack: false } }, async (server) => {
        const { reports } = await server.block('/loop');
        expect(reports).toHaveLength(1);
        expect(blockOf(reports[0])).toMatchObject({ stack: [], stackNote: 'no stack: blockedLoop.stack is off' });
      });
    });

    test('of blocks that follow each other, one is paused a minute: the second says so', async () => {
      await withServer({ blockedLoop: OPTIONS.blockedLoop, blockMs: OPTIONS.blockMs }, async (server) => {
        const { last } = await server.block('/loop');
        expect(appLines(blockOf(last))).toContain(server.marks['loop']);
        const { reports } = await server.block('/atomics');
        expect(reports.map((dump) => blockOf(dump).stackNote)).toEqual(['no stack: one was taken a short while ago']);
      });
    });

    test('a request that was stuck already is asked again after the block, and the block says the rest', async () => {
      const options = { ...OPTIONS, timeout: 900, scanInterval: 100, blockMs: 1_800 };
      await withServer(options, async (server) => {
        void server.request('/waiting');
        const answered = server.request('/loop');
        const hang = await server.collector.next(({ kind }) => kind === 'hang');
        await answered;
        expect(hang.evidence?.complete).toBe(true);
        const stuck = hang.requests.filter(({ state }) => state === 'stuck');
        expect(stuck.map((one) => one.path)).toEqual(['/waiting']);
        expect(stuck[0]?.stacks[0]?.[0]).toMatchObject({ line: server.marks['waiting'] });
        expect(server.collector.dumps.filter(({ kind }) => kind === 'loop-block').length).toBeGreaterThan(0);
      });
    });
  });
});

// Beside the others, in which it takes no time of its own.
test.concurrent(
  'a server that is idle for a minute, and one that was stopped and goes on, report nothing',
  LONG,
  async () => {
    await Promise.all(nodes.map(({ path }) => reportsNothing(path)));
  },
);

async function reportsNothing(node: string): Promise<void> {
  const options = { timeout: 2_000, scanInterval: 100, blockMs: 1_800 };
  const [idle, stopped] = await Promise.all([BlockedServer.start(node, options), BlockedServer.start(node, options)]);
  try {
    const idleSince = Date.now();
    expect((await idle.request('/ok')).status).toBe(200);
    expect((await stopped.request('/ok')).status).toBe(200);
    void stopped.request('/waiting');
    expect((await stopped.request('/ok')).status).toBe(200);
    // Longer than its timeout, and than the threshold.
    stopped.scenario.child.kill('SIGSTOP');
    await new Promise((resolve) => setTimeout(resolve, 3_000));
    stopped.scenario.child.kill('SIGCONT');
    expect((await stopped.request('/ok')).status).toBe(200);
    expect(stopped.collector.dumps).toEqual([]);
    // What blocks now is reported, as one block, and who waits is reported after its timeout: the watchdog was there all the time.
    await stopped.block('/atomics');
    const hang = await stopped.collector.next(({ kind }) => kind === 'hang');
    expect(hang.requests.find(({ state }) => state === 'stuck')?.idleMs).toBeGreaterThanOrEqual(options.timeout);
    expect(stopped.collector.dumps.filter(({ kind }) => kind === 'recovered')).toHaveLength(1);
    await new Promise((resolve) => setTimeout(resolve, idleSince + IDLE_MS - Date.now()));
    expect(idle.collector.dumps).toEqual([]);
    // Nor has it gone to sleep for good.
    await idle.block('/atomics');
  } finally {
    await Promise.all([idle.stop(), stopped.stop()]);
  }
}

import { spawnSync } from 'node:child_process';
import { mkdtempSync, openSync, rmSync, writeSync } from 'node:fs';
import { get } from 'node:http';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import type { Dump, DumpBlock } from '@hangwatch/protocol';
import { CollectorStub, nodeBinaries, Scenario } from '@hangwatch/test-utils';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';

const SERVER = fileURLToPath(new URL('../scenarios/blocked-loop/server.mjs', import.meta.url));
/** What the machine itself adds: reports are timed on the watchdog's clock, and read here. */
const THRESHOLD_MS = 1_000;

interface Started {
  readonly port: number;
  readonly marks: Record<string, number>;
}

describe.each(nodeBinaries())('on Node $version', ({ path: node }) => {
  let collector: CollectorStub;
  let scenario: Scenario;
  let started: Started;
  let folder: string;
  let fifo: string;

  beforeEach(async () => {
    folder = mkdtempSync(path.join(tmpdir(), 'hangwatch-blocked-'));
    fifo = path.join(folder, 'fifo');
    spawnSync('mkfifo', [fifo]);
    collector = await CollectorStub.start();
  });

  afterEach(async () => {
    await scenario.stop();
    await collector.close();
    rmSync(folder, { recursive: true, force: true });
    expect(collector.refused).toEqual([]);
  });

  async function start(options: Record<string, unknown> = {}, execArgv: string[] = []): Promise<void> {
    scenario = new Scenario(SERVER, {
      node,
      execArgv,
      args: [JSON.stringify(options), fifo],
      env: { HANGWATCH_COLLECTOR: collector.url },
    });
    started = await scenario.until(({ stdout }) =>
      stdout.includes('\n') ? (JSON.parse(stdout.split('\n')[0] ?? '') as Started) : undefined,
    );
  }

  /** Resolves with the status, or the reason why there is none. */
  function request(pathname: string): Promise<number | string> {
    return new Promise((resolve) => {
      get({ host: '127.0.0.1', port: started.port, path: pathname, agent: false }, (response) => {
        response.resume().on('end', () => resolve(response.statusCode ?? 0));
      }).on('error', (error) => resolve(error.message));
    });
  }

  const isBlock = ({ kind }: Dump) => kind === 'loop-block';
  const isEnd = ({ kind, block }: Dump) => kind === 'recovered' && block !== undefined;
  const blockOf = (dump: Dump): DumpBlock => {
    if (dump.block === undefined) throw new Error('a dump of a block has one');
    return dump.block;
  };
  const places = (block: DumpBlock) => block.stack.filter(({ kind }) => kind === 'app').map(({ line }) => line);

  /** Blocks the loop, and waits for its end: all reports of the block, and the one that tells its end. */
  async function block(pathname: string): Promise<{ reports: Dump[]; end: Dump }> {
    const answered = request(pathname);
    const end = await collector.next(isEnd);
    expect(await answered).toBe(200);
    return { reports: collector.dumps.filter(isBlock), end };
  }

  test.each([
    ['/loop', 'loop', 'javascript'],
    ['/regex', 'regex', 'regular-expression'],
    ['/atomics', 'atomics', 'thread-wait'],
  ])('%s: the stack says where, and what it is', async (pathname, mark, cause) => {
    await start();
    void request('/waiting');
    const { reports, end } = await block(pathname);
    const last = reports.at(-1);
    if (last === undefined) throw new Error('it was reported before its end');
    const found = blockOf(last);
    expect(places(found)).toContain(started.marks[mark]);
    expect(found.stack[0]?.file).toBe(SERVER);
    // A machine that is busy enough may keep the thread from its CPU altogether.
    expect([cause, 'cpu-starvation']).toContain(found.cause);
    expect(found.what).toContain(`server.mjs:${started.marks[mark]}:`);
    const culprit = last.requests.find(({ id }) => id === found.running);
    expect(culprit).toMatchObject({ state: 'stuck', path: pathname, checkpoint: { label: `before ${pathname}` } });
    // Paused in the middle of a block, the main thread tells where the others are suspended.
    const other = last.requests.find((one) => one.path === '/waiting');
    expect(other?.stacks[0]?.[0]).toMatchObject({ file: SERVER, line: started.marks['waiting'] });
    expect(blockOf(end).sinceMs).toBeGreaterThanOrEqual(found.sinceMs);
    expect(end.follows).toBe(last.id);
    expect(reports[0] && blockOf(reports[0]).sinceMs).toBeLessThan(THRESHOLD_MS + 500);
  });

  test('execSync is reported while it runs, as a child process; its line follows when it returns', async () => {
    await start();
    const { reports } = await block('/exec');
    const [first, second] = reports;
    if (first === undefined || second === undefined) throw new Error('two reports');
    expect(blockOf(first)).toMatchObject({ state: 'sleeping', cause: 'child-process', stack: [] });
    expect(blockOf(first).what).toMatch(/^waits for a child process \((sh|sleep)/);
    expect(first.requests.find(({ id }) => id === blockOf(first).lastRan)?.checkpoint.label).toBe('before /exec');
    expect(blockOf(first).sinceMs).toBeLessThan(THRESHOLD_MS + 500);
    expect(second.follows).toBe(first.id);
    expect(blockOf(second)).toMatchObject({ cause: 'child-process' });
    expect(blockOf(second).what).toContain(`server.mjs:${started.marks['exec']}:`);
    expect(JSON.stringify(collector.dumps)).not.toContain('sleep 3');
  });

  test('readSync on a FIFO is reported as that, while nobody writes', async () => {
    await start();
    const answered = request('/fifo');
    const dump = await collector.next(isBlock);
    expect(blockOf(dump)).toMatchObject({ state: 'sleeping', cause: 'file-system', systemCall: 'read' });
    expect(blockOf(dump).what).toContain('reads from a FIFO');
    const writer = openSync(fifo, 'r+');
    writeSync(writer, '0123456789');
    await collector.next(isEnd);
    expect(await answered).toBe(200);
    expect(JSON.stringify(collector.dumps)).not.toContain(fifo);
  });

  test.each([
    ['/pbkdf2', undefined],
    ['/json', '/prepare-json'],
    ['/gzip', '/prepare-gzip'],
  ])(
    '%s is reported while it runs, as something that shows no stack, with the last checkpoint',
    async (pathname, prepare) => {
      await start({ blockedLoop: { threshold: 300 } });
      if (prepare !== undefined) await request(prepare);
      const ends = collector.dumps.filter(isEnd).length;
      const label = `before ${pathname}`;
      const culprit = ({ block: found, requests }: Dump) => requests.find(({ id }) => id === found?.lastRan);
      const answered = request(pathname);
      const dump = await collector.next((one) => isBlock(one) && culprit(one)?.checkpoint.label === label);
      expect(['unknown', 'cpu-starvation']).toContain(blockOf(dump).cause);
      expect(culprit(dump)?.state).toBe('moving');
      expect(['running', 'waiting-for-cpu']).toContain(blockOf(dump).state);
      expect(await answered).toBe(200);
      await collector.next(() => collector.dumps.filter(isEnd).length > ends);
    },
  );

  test('background work is put down to no request, though one was running all the time', async () => {
    await start();
    void request('/poll');
    await request('/due');
    const end = await collector.next(isEnd);
    const last = collector.dumps.filter(isBlock).at(-1);
    if (last === undefined) throw new Error('it was reported before its end');
    expect(end.follows).toBe(last.id);
    expect(places(blockOf(last))).toContain(started.marks['background']);
    expect(blockOf(last).running).toBeUndefined();
    expect(blockOf(last).lastRan).toBeUndefined();
    expect(last.verdict.summary).toContain('no request: background work');
    expect(last.requests.map(({ path: of, state }) => [of, state])).toEqual([['/poll', 'moving']]);
  });

  test('a tool that pauses on every exception takes no block away', async () => {
    await start({ pauseOnExceptions: true });
    const { reports, end } = await block('/throws');
    expect(reports.length).toBeGreaterThan(0);
    expect(end.follows).toBe(reports.at(-1)?.id);
    // The stack, or why there is none: the two share the thread as it comes.
    for (const found of reports.map(blockOf))
      expect(found.stack.some((frame) => frame.function === 'throwAndCatch') || found.stackNote).toBeTruthy();
  });

  test('a block that never ends, and is killed from outside, has been reported before', async () => {
    await start({ blockMs: 600_000 });
    void request('/loop');
    // On a busy machine the stack comes in the second report.
    await collector.next((one) => isBlock(one) && places(blockOf(one)).includes(started.marks['loop'] ?? 0));
    scenario.child.kill('SIGTERM');
    const { signal } = await scenario.ended;
    expect(signal).toBe('SIGTERM');
  });

  test('without stack: nothing is paused, and the report says so', async () => {
    await start({ blockedLoop: { threshold: 500, stack: false } });
    const { reports } = await block('/loop');
    expect(reports).toHaveLength(1);
    expect(reports[0] && blockOf(reports[0])).toMatchObject({
      stack: [],
      stackNote: 'no stack: blockedLoop.stack is off',
    });
  });

  test('a request that was stuck already is asked again after the block, and the block says the rest', async () => {
    await start({ timeout: 1_800, scanInterval: 100 });
    void request('/waiting');
    const answered = request('/loop');
    const hang = await collector.next(({ kind }) => kind === 'hang');
    await answered;
    expect(hang.evidence?.complete).toBe(true);
    const stuck = hang.requests.filter(({ state }) => state === 'stuck');
    expect(stuck.map((one) => one.path)).toEqual(['/waiting']);
    expect(stuck[0]?.stacks[0]?.[0]).toMatchObject({ line: started.marks['waiting'] });
    expect(collector.dumps.filter(isBlock).length).toBeGreaterThan(0);
  });

  test('a process that was suspended raises nothing', async () => {
    await start();
    void request('/waiting');
    await request('/ok');
    scenario.child.kill('SIGSTOP');
    await new Promise((resolve) => setTimeout(resolve, 2_500));
    scenario.child.kill('SIGCONT');
    await request('/ok');
    // A real block that is reported bounds the time in which the other could have been.
    await block('/atomics');
    expect(collector.dumps.filter(isEnd)).toHaveLength(1);
    expect(collector.dumps.filter(({ kind }) => kind === 'hang')).toEqual([]);
  });

  test('with --cpu-prof and --inspect, and nobody connected, the stack comes all the same', async () => {
    await start({}, ['--cpu-prof', `--cpu-prof-dir=${folder}`, '--inspect=127.0.0.1:0']);
    const { reports } = await block('/loop');
    expect(reports.some((dump) => places(blockOf(dump)).includes(started.marks['loop'] ?? 0))).toBe(true);
  });
});

import { mkdtempSync, readdirSync, readFileSync, realpathSync, rmSync, symlinkSync } from 'node:fs';
import { get } from 'node:http';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import type { Dump, DumpFrame } from '@hangwatch/protocol';
import { CollectorStub, Scenario, type ScenarioOptions, type ScenarioResult } from '@hangwatch/test-utils';
import { buildSync } from 'esbuild';
import { afterAll, afterEach, beforeAll, beforeEach, expect, test, vi } from 'vitest';
import { eachNode, oldestAndNewest } from '../each-node.ts';

const SERVER = fileURLToPath(new URL('../scenarios/e2e/crash.mjs', import.meta.url));
const IN_THREAD = fileURLToPath(new URL('../scenarios/e2e/crash-thread.mjs', import.meta.url));
const TYPESCRIPT = fileURLToPath(new URL('../scenarios/e2e/crash-typescript.ts', import.meta.url));
/** Where a request waits for ever. */
const LOCK = `${SERVER}:${readFileSync(SERVER, 'utf8').split('/*@lock*/')[0]?.split('\n').length}`;
const SLOW = { timeout: 20_000 };
/** The default of `exitDelay`, and what a busy machine may add to it. */
const BOUND_MS = 250 + 1_500;
/** An `exitDelay` that no machine is too busy for. */
const AMPLE_MS = 10_000;

eachNode((binary) => {
  const { path: node } = binary;
  const isOldestOrNewest = oldestAndNewest.includes(binary);
  let collector: CollectorStub;
  let spoolDir: string;

  beforeAll(async () => {
    collector = await CollectorStub.start();
  });
  afterAll(async () => {
    await collector.close();
    expect(collector.refused).toEqual([]);
  });
  beforeEach(() => {
    collector.dumps.length = 0;
    spoolDir = mkdtempSync(join(tmpdir(), 'hangwatch-crash-'));
  });
  // The spool's process of a scenario that was killed may still be putting its record in order.
  afterEach(() => rmSync(spoolDir, { recursive: true, force: true, maxRetries: 20, retryDelay: 100 }));

  /** A server that has the watchdog's thread up and running. */
  async function start(
    way: string,
    options: { without?: boolean; url?: string; file?: string; exitDelay?: number } & ScenarioOptions = {},
  ) {
    const { without, url = collector.url, file = SERVER, exitDelay, ...rest } = options;
    const scenario = new Scenario(file, {
      node,
      ...rest,
      args: [way, ...(without === true ? ['without'] : [])],
      env: { HANGWATCH_COLLECTOR: url, OPTIONS: JSON.stringify({ spoolDir, exitDelay }) },
    });
    const { port, pid } = await scenario.until(({ stdout }) =>
      stdout.includes('\n') ? (JSON.parse(stdout.split('\n')[0] ?? '') as { port: number; pid: number }) : undefined,
    );
    const send = (path: string) =>
      new Promise<void>((resolve) => {
        get({ host: '127.0.0.1', port, path, agent: false }, (response) => response.resume().on('close', resolve)).on(
          'error',
          () => resolve(),
        );
      });
    /** Resolves when the request is in flight. */
    const begin = (path: string) =>
      new Promise<void>((resolve) => {
        get({ host: '127.0.0.1', port, path, agent: false }, (response) => {
          response.once('data', () => resolve()).on('error', () => undefined);
        }).on('error', () => undefined);
      });
    return { scenario, send, begin, pid, port };
  }

  /** Until the watchdog has loaded its HTTP client, which it does a second after its start: it answers when it reports a hang. */
  async function warm(send: (path: string) => Promise<void>): Promise<Dump> {
    void send('/hang');
    return collector.next(({ kind }) => kind === 'hang');
  }

  /** Until an event stream of the server has beaten so often. */
  function beats(port: number, count: number): Promise<void> {
    return new Promise((resolve) => {
      let left = count;
      get({ host: '127.0.0.1', port, path: '/heartbeats', agent: false }, (response) => {
        response.on('data', () => {
          left -= 1;
          if (left === 0) resolve();
        });
        response.on('error', () => undefined);
      }).on('error', () => undefined);
    });
  }

  /** The next start has looked into the spool, and posted nothing of a dead process. */
  async function nextFindsNothing(): Promise<void> {
    await vi.waitFor(() => expect(filesIn(spoolDir)).toEqual([]), SLOW);
    const { scenario, send } = await start('exit');
    await warm(send);
    expect(crashes()).toEqual([]);
    await scenario.stop();
  }

  const crashes = () => collector.dumps.filter(({ kind }) => kind === 'crash');
  const lastMs = ({ stdout }: ScenarioResult) =>
    Date.now() - (JSON.parse(stdout.trim().split('\n').at(-1) ?? '') as { endsAt: number }).endsAt;

  test.each([
    ['uncaught', 1, 'uncaught-exception'],
    ['caught', 3, 'uncaught-exception'],
    ['rejection', 1, 'unhandled-rejection'],
    ['exit', 0, 'exit'],
    ['exit-5', 5, 'exit'],
  ])('%s: the report is out before the process is gone, which ends as it would', async (way, exitCode, cause) => {
    const { scenario, send, begin, pid } = await start(way, { exitDelay: AMPLE_MS });
    const hang = await warm(send);
    await send('/quick');
    await begin('/wait');
    void send('/die');
    const result = await scenario.ended;
    const tookMs = lastMs(result);
    const dump = await collector.next(({ kind }) => kind === 'crash');
    expect({ code: result.code, signal: result.signal }).toEqual({ code: exitCode, signal: null });
    expect(dump).toMatchObject({
      follows: hang.id,
      process: { pid, instance: hang.process.instance },
      verdict: { evidence: 'crashed' },
      crash: { cause, exitCode },
    });
    // Whose code it was comes first, then the oldest.
    expect(dump.requests.map(({ route }) => route)).toEqual(['/die', '/hang', '/wait']);
    expect(dump.crash?.running).toBe(dump.requests[0]?.id);
    expect(dump.verdict.summary.includes('in the context of #4 GET /die')).toBe(way !== 'caught');
    expect(dump.requests.map(({ stacks }) => stacks.map((stack) => stack.map(placeOf)))).toEqual([
      [],
      [],
      [[`async waitForALock ${LOCK}`]],
    ]);
    expect(dump.evidence).toMatchObject({ complete: true });
    expect(dump.recorder?.entries.filter(({ type }) => type === 'finished').length).toBeGreaterThan(0);
    if (cause === 'exit') expect(dump.crash?.error).toBeUndefined();
    else {
      expect(dump.crash?.error?.class).toBe('PaymentError');
      expect(dump.crash?.error?.message).toBeUndefined();
      expect(dump.crash?.handledMs !== undefined).toBe(way === 'caught');
      expect(dump.crash?.error?.frames[0]?.file).toBe(SERVER);
      expect(result.stderr.includes('PaymentError')).toBe(way !== 'caught');
    }
    expect(JSON.stringify(dump)).not.toContain('card 4111');
    expect(crashes()).toHaveLength(1);
    // It goes on once the report is out, however long it might wait.
    expect(tookMs).toBeLessThan(AMPLE_MS);
    // Neither a record nor a dump is left for the next start.
    await vi.waitFor(() => expect(filesIn(spoolDir)).toEqual([]), SLOW);
  });

  test('what was built from TypeScript is told in its sources: where the error was thrown, and where requests were suspended', async () => {
    const { scenario, begin, send } = await start('', { file: buildTypeScript() });
    await begin('/wait');
    void send('/pay');
    expect((await scenario.ended).code).toBe(1);
    const { crash, requests, verdict, evidence } = await collector.next(({ kind }) => kind === 'crash');
    const { error, await: suspended } = marks();
    expect(crash?.error?.frames[0]).toMatchObject({
      function: 'pay',
      ...error,
      generated: { line: expect.any(Number) },
    });
    expect(verdict.summary).toContain(`crash-typescript.ts:${error?.line}:${error?.column}), was not caught`);
    expect(requests.flatMap(({ stacks }) => stacks[0]?.[0] ?? [])).toMatchObject([
      { function: 'waitForStock', ...suspended, kind: 'app' },
    ]);
    expect(evidence).toMatchObject({ complete: true });
    expect(evidence?.note).toBeUndefined();
  });

  test('a collector that does not answer delays the exit by no more than the bound, and the report is on disk', async () => {
    const silent = 'http://127.0.0.1:9';
    const { scenario, send } = await start('exit-5', { url: silent });
    void send('/hang');
    await vi.waitFor(() => expect(filesIn(spoolDir).filter((file) => file.endsWith('.json.gz'))).not.toEqual([]), SLOW);
    void send('/die');
    const result = await scenario.ended;
    expect(lastMs(result)).toBeLessThan(BOUND_MS);
    expect(result.code).toBe(5);
    // Its dumps are on disk, and its record is not: that would be a second report of the same end.
    await expect
      .poll(() => filesIn(spoolDir).map((file) => file.replace(/^.*\.(?=json|live)/, '')), SLOW)
      .toEqual(['json.gz', 'json.gz']);
  });

  test.each(['shutdown', 'events', 'swallowed'])('%s: nothing is cut off, and nothing reported', async (way) => {
    const { scenario, send } = await start(way === 'events' ? 'exit' : way);
    if (way === 'events') {
      void send('/events');
      await send('/quick');
      scenario.child.stdin.write('exit\n');
      expect((await scenario.ended).code).toBe(0);
    } else {
      await send('/quick');
      void send(way === 'shutdown' ? '/shutdown' : '/die');
      expect((await scenario.ended).code).toBe(0);
    }
    expect(crashes()).toEqual([]);
    expect(filesIn(spoolDir)).toEqual([]);
  });

  test.each(['exit', 'SIGTERM'])(
    'an event stream with heartbeats, however old, leaves nothing to tell: %s',
    async (way) => {
      const { scenario, send, port } = await start('exit');
      await send('/quick');
      // Much longer than the half of the timeout after which a record is kept of other requests.
      await beats(port, 12);
      expect(filesIn(spoolDir)).toEqual([]);
      if (way === 'exit') scenario.child.stdin.write('exit\n');
      else scenario.child.kill(way as NodeJS.Signals);
      await scenario.ended;
      await nextFindsNothing();
    },
  );

  test('an old request that is answered just before the process exits leaves nothing to tell', async () => {
    const { scenario, send } = await start('answered');
    await warm(send);
    await vi.waitFor(() => expect(filesIn(spoolDir).filter((file) => file.endsWith('.live'))).toHaveLength(1), SLOW);
    scenario.child.stdin.write('exit\n');
    const result = await scenario.ended;
    expect(result.code).toBe(0);
    expect(lastMs(result)).toBeLessThan(BOUND_MS);
    await nextFindsNothing();
  });

  test('a process that lives is not taken for a dead one when only its watchdog dies', async () => {
    const { scenario, send, pid } = await start('watchdog-dies');
    await warm(send);
    const live = () => filesIn(spoolDir).filter((file) => file.endsWith('.live'));
    await vi.waitFor(() => expect(live()).toHaveLength(1), SLOW);
    const [first] = live();
    const again = collector.next(
      (dump) => dump.kind === 'hang' && dump.process.pid === pid && dump !== collector.dumps[0],
    );
    scenario.child.stdin.write('die\n');
    await again;
    // The new watchdog keeps a new record, and the one before is gone, without having been told.
    await expect
      .poll(() => live().filter((file) => file !== first).length === 1 && !live().includes(first ?? ''), SLOW)
      .toBe(true);
    await send('/quick');
    expect(crashes()).toEqual([]);
    expect(scenario.child.exitCode).toBeNull();
    await scenario.stop();
  });

  test('nor when a thread of its own ends that served requests', async () => {
    const { scenario, send } = await start('exit', { file: IN_THREAD });
    await warm(send);
    scenario.child.stdin.write('end\n');
    await scenario.until(({ stdout }) => (stdout.includes('terminated') ? true : undefined));
    await nextFindsNothing();
    expect(scenario.child.exitCode).toBeNull();
    await scenario.stop();
  });

  // Of a process that is gone without a word, the version says little.
  const deaths: readonly [string, NodeJS.Signals][] = [
    ['SIGKILL', 'SIGKILL'],
    ['SIGTERM', 'SIGTERM'],
    ['SIGHUP', 'SIGHUP'],
    ['SIGSEGV', 'SIGSEGV'],
    ['abort', 'SIGABRT'],
    ['oom', 'SIGABRT'],
  ];
  test.each(isOldestOrNewest ? deaths : deaths.slice(0, 1))(
    '%s: the next start finds the last record and posts it, once',
    async (way, signal) => {
      const execArgv = way === 'oom' ? ['--max-old-space-size=64'] : [];
      const { scenario, send, pid } = await start(way, { execArgv });
      const hang = await warm(send);
      await vi.waitFor(() => expect(filesIn(spoolDir).filter((file) => file.endsWith('.live'))).toHaveLength(1), SLOW);
      if (way.startsWith('SIG')) scenario.child.kill(way as NodeJS.Signals);
      else void send('/die');
      const result = await scenario.ended;
      expect({ code: result.code, signal: result.signal }).toEqual({ code: null, signal });
      // Two starts at once: one of them takes it.
      const next = await Promise.all([start('exit'), start('exit')]);
      for (const { send: ask } of next) await ask('/quick');
      const dump = await collector.next(({ kind }) => kind === 'crash');
      expect(dump).toMatchObject({
        process: { pid, instance: hang.process.instance },
        crash: { cause: 'died', renewedEveryMs: 1_000 },
      });
      // It may have been kept a moment before the hang was reported.
      expect([undefined, hang.id]).toContain(dump.follows);
      expect(dump.requests[0]).toMatchObject({ id: 1, method: 'GET', checkpoint: { label: 'begun' } });
      expect(dump.recorder?.entries.map(({ type }) => type)).toEqual(expect.arrayContaining(['started', 'checkpoint']));
      expect(Date.parse(dump.at)).toBeLessThanOrEqual(Date.now());
      await vi.waitFor(() => expect(filesIn(spoolDir)).toEqual([]), SLOW);
      expect(crashes()).toHaveLength(1);
      for (const { scenario: other } of next) await other.stop();
    },
  );

  test('a process that lives is not taken for a dead one, also while it is stopped', async () => {
    const { scenario, send } = await start('exit');
    await warm(send);
    await vi.waitFor(() => expect(filesIn(spoolDir).filter((file) => file.endsWith('.live'))).toHaveLength(1), SLOW);
    scenario.child.kill('SIGSTOP');
    const other = await start('exit');
    const second = collector.next(({ kind, process }) => kind === 'hang' && process.pid === other.pid);
    void other.send('/hang');
    // By then the other one has looked into the spool.
    await second;
    await vi.waitFor(() => expect(filesIn(spoolDir).filter((file) => file.endsWith('.live'))).toHaveLength(2), SLOW);
    expect(crashes()).toEqual([]);
    scenario.child.kill('SIGCONT');
    await scenario.stop();
    await other.scenario.stop();
  });

  test.runIf(isOldestOrNewest)('exits as fast as a process without hangwatch, where nothing is in flight', async () => {
    const took = async (without: boolean) => {
      const { scenario, send } = await start('exit', { without });
      await send('/quick');
      void send('/shutdown');
      return lastMs(await scenario.ended);
    };
    const withIt: number[] = [];
    const withoutIt: number[] = [];
    for (let round = 0; round < 3; round++) {
      withIt.push(await took(false));
      withoutIt.push(await took(true));
    }
    // The wait for a report is a quarter of a second at least where nobody answers: it is in none of these.
    expect(Math.min(...withIt) - Math.min(...withoutIt)).toBeLessThan(150);
  });
});

/** Where what follows each mark begins. */
function marks(): Record<string, { file: string; line: number; column: number }> {
  const lines = readFileSync(TYPESCRIPT, 'utf8').split('\n');
  const found = lines.flatMap((text, index) =>
    [...text.matchAll(/\/\*@(\w+)\*\/ /g)].map(({ 0: mark, 1: name = '', index: at }) => {
      return [name, { file: TYPESCRIPT, line: index + 1, column: at + mark.length + 1 }] as const;
    }),
  );
  return Object.fromEntries(found);
}

let built: string | undefined;

/** As a build for production does it: one file, minified, its map beside it. */
function buildTypeScript(): string {
  if (built !== undefined) return built;
  const folder = realpathSync(mkdtempSync(join(tmpdir(), 'hangwatch-crash-build-')));
  symlinkSync(fileURLToPath(new URL('../node_modules', import.meta.url)), join(folder, 'node_modules'));
  built = join(folder, 'server.mjs');
  buildSync({
    entryPoints: [TYPESCRIPT],
    outfile: built,
    bundle: true,
    minify: true,
    keepNames: true,
    sourcemap: true,
    platform: 'node',
    format: 'esm',
    target: 'node20',
    external: ['@hangwatch/core'],
  });
  return built;
}

afterAll(() => {
  if (built !== undefined) rmSync(dirname(built), { recursive: true, force: true });
});

const placeOf = ({ async, function: name, file, line }: DumpFrame) => `${async ? 'async ' : ''}${name} ${file}:${line}`;

function filesIn(folder: string): string[] {
  return readdirSync(folder).filter((file) => !file.endsWith('.tmp'));
}

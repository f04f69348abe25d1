import { get } from 'node:http';
import { fileURLToPath } from 'node:url';
import type { Dump, DumpRequest } from '@hangwatch/protocol';
import { CollectorStub, Scenario } from '@hangwatch/test-utils';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { eachNode } from '../each-node.ts';

const SERVER = fileURLToPath(new URL('../scenarios/e2e/server.mjs', import.meta.url));

interface Started {
  readonly port: number;
  readonly marks: Record<string, { line: number; column: number; after: number }>;
}

eachNode(({ path: node }) => {
  let collector: CollectorStub;
  let scenario: Scenario;
  let started: Started;
  const aborts: AbortController[] = [];

  beforeEach(async () => {
    collector = await CollectorStub.start();
    await start();
  });

  afterEach(async () => {
    for (const abort of aborts.splice(0)) abort.abort();
    await scenario.stop();
    await collector.close();
    expect(collector.refused).toEqual([]);
  });

  async function start(options: Record<string, unknown> = {}, env: Record<string, string> = {}): Promise<void> {
    if (scenario !== undefined) await scenario.stop();
    scenario = new Scenario(SERVER, {
      node,
      args: [JSON.stringify(options)],
      env: { HANGWATCH_COLLECTOR: collector.url, HANGWATCH_SERVICE: 'e2e', ...env },
    });
    started = await scenario.until(({ stdout }) =>
      stdout.includes('\n') ? (JSON.parse(stdout.split('\n')[0] ?? '') as Started) : undefined,
    );
  }

  /** Sends a request and forgets it; aborting it is the client leaving. */
  function request(path: string): AbortController {
    const abort = new AbortController();
    aborts.push(abort);
    get({ host: '127.0.0.1', port: started.port, path, signal: abort.signal, agent: false }, (response) =>
      response.resume(),
    ).on('error', () => undefined);
    return abort;
  }

  const stuckOn = (path: string) => (dump: Dump) => dump.kind === 'hang' && stuck(dump, path) !== undefined;
  const stuck = (dump: Dump, path: string): DumpRequest | undefined =>
    dump.requests.find((r) => r.path === path && r.state === 'stuck');
  const places = (one: DumpRequest | undefined) => one?.stacks[0]?.map((frame) => `${frame.function}:${frame.line}`);
  const at = (mark: string) => started.marks[mark]?.line;

  test('a hang reaches the collector with every suspended function; when it finishes after all, that is told', async () => {
    request('/ok');
    request('/hang?token=secret');
    const dump = await collector.next(stuckOn('/hang'));
    const one = stuck(dump, '/hang');
    expect(places(one)).toEqual([`query:${at('query')}`, `loadUser:${at('loadUser')}`, `/hang:${at('hang')}`]);
    const column = one?.stacks[0]?.[0]?.column ?? 0;
    const { column: first = 0, after = 0 } = started.marks['query'] ?? {};
    // The await keyword stands six columns before the mark; its operand follows it.
    expect(column >= first - 6 && column <= after).toBe(true);
    expect(dump.verdict.evidence).toBe('no-progress');
    expect(one?.idleMs).toBeGreaterThanOrEqual(600);
    expect(JSON.stringify(dump)).not.toContain('secret');
    expect(dump.process).toMatchObject({ service: 'e2e', pid: scenario.child.pid });
    request('/release');
    const recovered = await collector.next(({ kind }) => kind === 'recovered');
    expect(recovered.follows).toBe(dump.id);
    expect(collector.dumps).toHaveLength(2);
  });

  test('a client that leaves a stuck request is told as gone', async () => {
    const client = request('/hang');
    const dump = await collector.next(stuckOn('/hang'));
    client.abort();
    const gone = await collector.next(({ kind }) => kind === 'gone');
    expect(gone.follows).toBe(dump.id);
  });

  test('background work that inherited the context does not hide a hang', async () => {
    request('/background');
    const dump = await collector.next(stuckOn('/background'));
    expect(dump.verdict.evidence).toBe('chain-stalled');
    expect(places(stuck(dump, '/background'))).toEqual([`/background:${at('background')}`]);
  });

  test('nor does a client that the handler has made, and that goes on calling', async () => {
    request('/lazy-client');
    const dump = await collector.next(stuckOn('/lazy-client'));
    expect(dump.verdict.evidence).toBe('chain-stalled');
    expect(places(stuck(dump, '/lazy-client'))).toContainEqual(`/lazy-client:${at('lazyClient')}`);
  });

  test('one hung item among a thousand is found', async () => {
    request('/thousand');
    const dump = await collector.next(stuckOn('/thousand'));
    const stacks = stuck(dump, '/thousand')?.stacks ?? [];
    expect(stacks[0]?.[0]).toMatchObject({ function: 'item', line: at('item') });
    expect(stacks[0]?.[1]).toMatchObject({ function: 'Promise.all', promiseIndex: 613 });
  });

  test('waiters of one promise are found at their own awaits, and name each other', async () => {
    // The watchdog starts with the first request: from its first report on, scans come as they should.
    const earlier = request('/hang');
    await collector.next(stuckOn('/hang'));
    earlier.abort();
    await collector.next(({ kind }) => kind === 'gone');
    request('/shared');
    // The second comes scans later: by then the first waiter's stack has been kept.
    await new Promise((resolve) => setTimeout(resolve, 300));
    request('/shared');
    await collector.next(({ requests }) => requests.filter(({ path }) => path === '/shared').length === 2);
    const dump = await collector.next((one) => stuck(one, '/shared') !== undefined && one.requests.length === 2);
    for (const one of dump.requests) {
      expect(places(one)?.[0]).toBe(`/shared:${at('shared')}`);
      const other = dump.requests.find(({ id }) => id !== one.id);
      expect(one.waitsFor).toMatchObject([
        { type: 'shared-promise', label: `a promise that #${other?.id} waits for too` },
      ]);
    }
  });

  test('a callback that is never called: the last checkpoint is the place', async () => {
    request('/callback');
    const dump = await collector.next(stuckOn('/callback'));
    expect(stuck(dump, '/callback')?.checkpoint).toMatchObject({ label: 'before the callback', file: SERVER });
  });

  test('an upstream that is silent is named, without its query', async () => {
    request('/upstream');
    const one = stuck(await collector.next(stuckOn('/upstream')), '/upstream');
    expect(one?.waitsFor).toMatchObject([
      {
        type: 'http',
        label: expect.stringMatching(/^GET http:\/\/127\.0\.0\.1:\d+\/v1\/items, sent, no response headers$/),
      },
    ]);
    expect(places(one)).toContain(`/upstream:${at('upstream')}`);
  });

  test('a job that makes progress is reported, if at all, in the weaker class; streams, event streams and polling are not', async () => {
    const healthy = ['/stream', '/stream-awaited', '/events', '/polling'];
    for (const path of ['/p-limit', '/p-queue', '/mutex', ...healthy]) request(path);
    await collector.next(stuckOn('/mutex'));
    // A hang that begins now and is reported bounds the time in which the others could have been.
    request('/hang');
    await collector.next(stuckOn('/hang'));
    for (const dump of collector.dumps) {
      for (const one of dump.requests.filter(({ state }) => state === 'stuck')) {
        expect(healthy).not.toContain(one.path);
        if (one.path !== '/hang') expect(one.verdict?.evidence).toBe('chain-stalled');
      }
    }
  });

  test('hangs that fall due in the same scan share a dump, which shows all that is in flight', async () => {
    for (let i = 0; i < 5; i++) request('/hang');
    request('/polling');
    const dump = await collector.next(stuckOn('/hang'));
    const states = collector.dumps.flatMap(({ requests }) => requests.map(({ path, state }) => `${path} ${state}`));
    expect(states.filter((each) => each === '/hang stuck')).toHaveLength(5);
    expect(collector.dumps.length).toBeLessThan(5);
    expect(dump.requests.some(({ path, state }) => path === '/polling' && state === 'moving')).toBe(true);
  });

  test('with no collector, the report is on stderr, for people', async () => {
    await start({}, { HANGWATCH_COLLECTOR: '' });
    request('/hang');
    const text = await scenario.until(({ stderr }) => (stderr.includes('loadUser') ? stderr : undefined));
    expect(text).toContain('GET /hang has made no progress');
    expect(text).toContain(`server.mjs:${at('query')}`);
  });

  test('a process that was suspended raises no alarm', async () => {
    request('/polling');
    request('/hang');
    await collector.next(stuckOn('/hang'));
    const slow = request('/stream');
    scenario.child.kill('SIGSTOP');
    await new Promise((resolve) => setTimeout(resolve, 2_000));
    scenario.child.kill('SIGCONT');
    request('/background');
    await collector.next(stuckOn('/background'));
    slow.abort();
    expect(
      collector.dumps
        .flatMap(({ requests }) => requests)
        .filter((r) => r.state === 'stuck')
        .map((r) => r.path),
    ).toEqual(['/hang', '/background']);
  });

  test('the process ends when its server closes, though a request was stuck', async () => {
    request('/hang');
    await collector.next(stuckOn('/hang'));
    scenario.child.stdin.write('close\n');
    const { code, signal, timedOut } = await scenario.ended;
    expect({ code, signal, timedOut }).toEqual({ code: 0, signal: null, timedOut: false });
  });

  test('is inert under a test runner, when disabled, and says why nowhere', async () => {
    for (const env of [{ NODE_ENV: 'test' }, { HANGWATCH_DISABLED: '1' }]) {
      await start({}, env);
      request('/hang');
      await new Promise((resolve) => setTimeout(resolve, 1_500));
      expect(collector.dumps).toEqual([]);
      expect(scenario.stderr).toBe('');
    }
  });
});

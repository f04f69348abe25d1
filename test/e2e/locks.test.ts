import { get } from 'node:http';
import { fileURLToPath } from 'node:url';
import type { DumpRequest } from '@hangwatch/protocol';
import { CollectorStub, Scenario } from '@hangwatch/test-utils';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { eachNode } from '../each-node.ts';

const SERVER = fileURLToPath(new URL('../scenarios/e2e/locks.mjs', import.meta.url));

eachNode(({ path: node }) => {
  let collector: CollectorStub;
  let scenario: Scenario;
  let port: number;

  beforeAll(async () => {
    collector = await CollectorStub.start();
    scenario = new Scenario(SERVER, { node, env: { HANGWATCH_COLLECTOR: collector.url } });
    port = await scenario.until(({ stdout }) =>
      stdout.includes('\n') ? (JSON.parse(stdout) as { port: number }).port : undefined,
    );
  });

  afterAll(async () => {
    await scenario?.stop();
    await collector?.close();
    expect(collector?.refused).toEqual([]);
  });

  /** Sends a request; resolves when it has been answered, which those that hang never are. */
  function send(path: string): Promise<void> {
    return new Promise((resolve) => {
      get({ host: '127.0.0.1', port, path, agent: false }, (response) => response.resume().on('end', resolve)).on(
        'error',
        () => undefined,
      );
    });
  }

  /** What was last said of each request of these paths, once so many have been reported as stuck. */
  async function stuck(paths: readonly string[], count = paths.length): Promise<DumpRequest[]> {
    const found = () =>
      new Map(
        collector.dumps
          .flatMap(({ requests }) => requests)
          .filter(({ path, state }) => state === 'stuck' && paths.includes(path))
          .map((request) => [request.id, request]),
      );
    await collector.next(() => found().size >= count);
    return [...found().values()];
  }

  const evidenceOf = (requests: readonly DumpRequest[]) => [
    ...new Set(requests.map(({ verdict }) => verdict?.evidence)),
  ];

  const hangs: [string, string[]][] = [
    ['async-mutex: two mutexes', ['/mutex/ab', '/mutex/ba']],
    ['async-mutex: a mutex inside itself', ['/mutex-alone']],
    ['async-mutex: a semaphore', ['/semaphore', '/semaphore']],
    ['p-limit: a limit inside itself', ['/limit']],
    ['generic-pool: a second connection', ['/pool', '/pool']],
    ['pg-pool: a second client', ['/pg', '/pg']],
    ['a module that is evaluated, and CommonJS that imports it', ['/by-require/reports', '/by-require/flush']],
    ['a module that another one needs', ['/chain/reports', '/chain/flush']],
  ];
  test.each(hangs)('%s is proven to be a deadlock', async (_, paths) => {
    for (const path of paths) void send(path);
    expect(evidenceOf(await stuck(paths))).toEqual(['proven-cycle']);
  });

  test('a lock and a module: the two requests are named, with both stacks and what each holds', async () => {
    void send('/logging/reports');
    void send('/logging/flush');
    const dump = await collector.next(({ verdict }) => verdict.summary.includes('/logging/'));
    expect(dump.verdict).toMatchObject({
      evidence: 'proven-cycle',
      // Others that hang still are counted behind it.
      summary: expect.stringMatching(
        /^deadlock: GET \/logging\/reports and GET \/logging\/flush wait for each other \(lock "logging", import \.\/feature\.mjs\)/,
      ),
    });
    const [reports, flush] = ['/logging/reports', '/logging/flush'].map((each) =>
      dump.requests.find(({ path }) => path === each),
    );
    const { edges = [], cycles = [] } = dump.waitFor ?? {};
    expect(cycles[0]?.map((edge) => edges[edge])).toMatchObject([
      { request: reports?.id, waitsFor: 'lock "logging"', heldBy: flush?.id },
      { request: flush?.id, waitsFor: 'import ./feature.mjs', heldBy: reports?.id, heldSite: { file: SERVER } },
    ]);
    expect(reports?.holds).toMatchObject([{ resource: 'import ./feature.mjs', site: { file: SERVER } }]);
    expect(flush?.holds).toMatchObject([{ resource: 'lock "logging"' }]);
    const places = reports?.stacks.flat().map((frame) => `${frame.function} ${frame.file.replace(/^.*\//, '')}`);
    expect(places).toEqual(expect.arrayContaining(['log logging.mjs', '(top level) feature.mjs']));
  });

  test('modules that may yet be there are not: others evaluate them, or they wait for something else as well', async () => {
    const names = ['slow', 'raced', 'given-up', 'two-at-once'];
    const paths = [...names, 'needs-both'].flatMap((name) => [`/${name}/reports`, `/${name}/flush`]);
    void send('/needs-both/third');
    for (const path of paths) void send(path);
    const requests = await stuck([...paths, '/needs-both/third']);
    expect(evidenceOf(requests).filter((each) => each?.startsWith('proven'))).toEqual([]);
    expect(requests.find(({ path }) => path === '/slow/flush')?.verdict?.summary).toMatch(
      /^waits for import \.\/slow\.mjs, held by GET \/slow\/reports \(#\d+\) for/,
    );
  });

  test('what looks the same and may go on is not: time-outs, jobs that work, holders that work', async () => {
    const twins = ['/mutex-timeout/cd', '/mutex-timeout/dc', '/mutex-released/holder', '/mutex-released/waiter'];
    const pools = ['/pool-timed', '/pool-timed', '/pg-timed', '/pg-timed', '/safe-limit'];
    for (const path of [...twins, ...pools]) void send(path);
    const requests = await stuck([...twins, ...pools], twins.length + pools.length);
    expect(evidenceOf(requests).filter((each) => each?.startsWith('proven'))).toEqual([]);
    const summaryOf = (path: string) => requests.find((request) => request.path === path)?.verdict?.summary;
    expect(summaryOf('/pool-timed')).toMatch(
      /^waits for pool "timed connections", which is exhausted: 2 of 2 held.*gives up in/,
    );
    expect(summaryOf('/pg-timed')).toMatch(
      /^waits for pool "timed database", which is exhausted: 2 of 2 held.*gives up in/,
    );
    expect(summaryOf('/mutex-released/waiter')).toMatch(
      /^waits for lock "e", held by GET \/mutex-released\/holder \(#\d+\) for/,
    );
  });

  const leaks = [
    ['generic-pool', '/leak', 'leaky', ['/leak-waiter']],
    ['pg-pool', '/pg-leak', 'leaky database', ['/pg-leak-waiter', '/pg-leak-callback']],
  ] as const;
  test.each(leaks)(
    '%s: what requests have not given back is told, with where they acquired it',
    async (_, path, name, waiters) => {
      await send(path);
      await send(path);
      for (const waiter of waiters) void send(waiter);
      const requests = await stuck(waiters);
      expect(requests.map((request) => request.path).sort()).toEqual([...waiters].sort());
      for (const { verdict } of requests) {
        expect(verdict?.evidence).toBe('leaked');
        expect(verdict?.summary).toContain(`waits for pool "${name}", which is exhausted: 2 of 2 held, 2 of them by`);
        expect(verdict?.summary).toMatch(
          new RegExp(`held by GET ${path}, which has ended for .* \\(acquired at .*locks\\.mjs:\\d+:\\d+\\)`),
        );
      }
    },
  );
});

import { get } from 'node:http';
import { fileURLToPath } from 'node:url';
import type { Dump, DumpRequest } from '@hangwatch/protocol';
import { CollectorStub, Scenario } from '@hangwatch/test-utils';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { eachNode } from '../each-node.ts';

const SERVERS = fileURLToPath(new URL('../scenarios/e2e/claims.mjs', import.meta.url));
const FRAMEWORKS = ['http', 'fastify', 'express', 'koa'] as const;
type Framework = (typeof FRAMEWORKS)[number];

eachNode(({ path: node }) => {
  let collector: CollectorStub;
  let scenario: Scenario;
  let ports: Record<Framework, number>;

  beforeAll(async () => {
    collector = await CollectorStub.start();
    scenario = new Scenario(SERVERS, { node, env: { HANGWATCH_COLLECTOR: collector.url } });
    ports = await scenario.until(({ stdout }) =>
      stdout.includes('\n') ? (JSON.parse(stdout) as Record<Framework, number>) : undefined,
    );
  });

  afterAll(async () => {
    await scenario?.stop();
    await collector?.close();
    expect(collector?.refused).toEqual([]);
  });

  /** Sends a request; resolves when it has been answered, which those that hang never are. */
  function send(path: string, framework: Framework = 'http'): Promise<void> {
    return new Promise((resolve) => {
      get({ host: '127.0.0.1', port: ports[framework], path, agent: false }, (response) => {
        response.resume().on('end', resolve);
      }).on('error', () => undefined);
    });
  }

  const stuckAt = (dump: Dump, query: string): DumpRequest[] =>
    dump.requests.filter(({ path, state }) => state === 'stuck' && (query === '' || path.includes(query)));

  /** The first dump in which so many are stuck whose path has `part` in it. */
  const dumpOf = (part: string, count = 1) =>
    collector.next((dump) => dump.kind === 'hang' && stuckAt(dump, part).length >= count);

  /** The two requests of a path, once both have been reported, in one dump or in two. */
  async function bothOf(path: string): Promise<DumpRequest[]> {
    const found = () =>
      new Map(collector.dumps.flatMap((dump) => stuckAt(dump, `${path}/`)).map((each) => [each.id, each]));
    await collector.next(() => found().size === 2);
    return [...found().values()];
  }

  const evidenceOf = (dump: Dump, part: string) => stuckAt(dump, part).map(({ verdict }) => verdict?.evidence);

  test.each(FRAMEWORKS)(
    'two requests of %s that wait for each other are proven to, edge by edge',
    async (framework) => {
      void send(`/cycle-${framework}/a`, framework);
      void send(`/cycle-${framework}/b`, framework);
      const name = `lock "cycle-${framework} [ab]"`;
      const dump = await collector.next(({ verdict }) => new RegExp(`^deadlock: .*${name}`).test(verdict.summary));
      expect(dump.verdict).toMatchObject({
        evidence: 'proven-cycle',
        summary: expect.stringMatching(`^deadlock: GET \\S+ and GET \\S+ wait for each other \\(${name}, ${name}\\)`),
      });
      const { edges = [], cycles = [] } = dump.waitFor ?? {};
      const cycle = cycles[0]?.map((index) => edges[index]) ?? [];
      expect(cycle).toHaveLength(2);
      for (const [i, edge] of cycle.entries()) {
        expect(edge).toMatchObject({
          heldBy: cycle[1 - i]?.request,
          waitsFor: expect.stringMatching(name),
          heldSite: { file: SERVERS },
        });
        const one = dump.requests.find(({ id }) => id === edge?.request);
        expect(one).toMatchObject({
          state: 'stuck',
          verdict: { evidence: 'proven-cycle' },
          holds: [{ resource: expect.stringMatching(name), site: { file: SERVERS } }],
        });
      }
    },
  );

  test('a request that waits for what it holds, all holders of a pool, and several awaits at once are proven too', async () => {
    const paths = ['/self', '/pool', '/pool', '/all/a', '/all/b', '/scoped/a', '/scoped/b'];
    for (const path of paths) void send(path);
    const requests = () => collector.dumps.flatMap((dump) => dump.requests);
    const proven = () =>
      requests().filter(({ verdict, path }) => paths.includes(path) && verdict?.evidence === 'proven-cycle');
    await collector.next(() => new Set(proven().map(({ id }) => id)).size === paths.length);
    expect(proven().find(({ path }) => path === '/self')?.verdict?.summary).toBe(
      'waits for lock "self", which it holds itself',
    );
  });

  test('what may still go on is not called proven: time-outs, races, other awaits, counts that do not agree, other holders, callbacks', async () => {
    const callbacks = ['/timer', '/unref', '/signal', '/client', '/socket', '/port', '/watcher', '/cancellable'];
    const twins = ['/timed', '/race', '/beside', '/all-but', '/miscounted', '/handed-over', ...callbacks];
    for (const path of twins) {
      void send(`${path}/a`);
      void send(`${path}/b`);
    }
    const others = ['/reentrant', '/background', '/hand-over'];
    const all = [...twins, ...others, '/passed-on'];
    for (const path of others) void send(path);
    await dumpOf('/hand-over');
    await send('/release-for-another');
    void send('/passed-on');
    await dumpOf('/passed-on');
    for (const path of twins) await bothOf(path);
    await dumpOf('/background');
    const isTwin = ({ path }: DumpRequest) => all.some((each) => path.startsWith(each));
    for (const dump of collector.dumps) {
      const twin = new Set(dump.requests.filter(isTwin).map(({ id }) => id));
      const proven = dump.requests.filter(({ id, verdict }) => twin.has(id) && verdict?.evidence.startsWith('proven'));
      expect(proven).toEqual([]);
      const inCycles = (dump.waitFor?.cycles ?? []).flat().map((index) => dump.waitFor?.edges[index]?.request ?? 0);
      expect(inCycles.filter((id) => twin.has(id))).toEqual([]);
    }
    for (const path of callbacks) {
      // Of the first of two that are reported one after the other it may not be seen yet.
      expect((await bothOf(path)).map(({ verdict }) => verdict)).toContainEqual({
        evidence: 'no-progress',
        summary: expect.stringMatching(/ it looks like a deadlock, which a \S.* of GET \S+ \(#\d+\) could still end$/),
      });
    }
    const [timed] = await bothOf('/timed');
    expect(timed?.verdict?.summary).toMatch(
      /waits for lock "timed [ab]", held by GET \S+ \(#\d+\) for \d.*; it gives up in \d/,
    );
    const [behind] = stuckAt(await dumpOf('/background'), '/background');
    expect(behind?.verdict?.summary).toContain('waits for lock "background", held by work outside any request');
  });

  test('an exhausted pool is told with its oldest holder; one that a request has leaked, with where that acquired it', async () => {
    void send('/busy-holder');
    void send('/busy-holder');
    await dumpOf('/busy-holder');
    void send('/busy-waiter');
    const exhausted = await dumpOf('/busy-waiter');
    expect(evidenceOf(exhausted, '/busy-waiter')).toEqual(['pool-exhausted']);
    expect(stuckAt(exhausted, '/busy-waiter')[0]?.verdict?.summary).toMatch(
      /^waits for pool "busy", which is exhausted: 2 of 2 held, oldest held by GET \/busy-holder \(#\d+\) for \S+ \S+ \(acquired at .*claims\.mjs:\d+:\d+\), 1 waiting$/,
    );
    await send('/leak');
    await send('/leak');
    void send('/leak-waiter');
    const leaked = await dumpOf('/leak-waiter');
    expect(evidenceOf(leaked, '/leak-waiter')).toEqual(['leaked']);
    expect(stuckAt(leaked, '/leak-waiter')[0]?.verdict?.summary).toMatch(
      /2 of 2 held, 2 of them by requests that have ended, one held by GET \/leak, which has ended for \d/,
    );
    expect(leaked.waitFor?.edges.map(({ holder }) => holder)).toContain('GET /leak, which has ended');
  });
});

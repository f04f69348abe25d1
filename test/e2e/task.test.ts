import { fileURLToPath } from 'node:url';
import type { Dump, DumpRequest } from '@hangwatch/protocol';
import { CollectorStub, Scenario } from '@hangwatch/test-utils';
import { afterEach, expect, test } from 'vitest';
import { eachNode } from '../each-node.ts';

const SCENARIO = fileURLToPath(new URL('../scenarios/e2e/task.mjs', import.meta.url));
type Lines = Record<string, number>;

const stuck = ({ requests }: Dump) => requests.filter(({ state }) => state === 'stuck');
const named = (dump: Dump, route: string): DumpRequest | undefined => stuck(dump).find((each) => each.route === route);
/** Functions and lines of the scenario's own file. */
const places = (request: DumpRequest | undefined) =>
  (request?.stacks ?? []).map((frames) => frames.map(({ line, file }) => (file.endsWith('task.mjs') ? line : file)));

eachNode(({ path: node }) => {
  const cleanUp: (() => Promise<unknown> | unknown)[] = [];
  afterEach(async () => {
    for (const each of cleanUp.splice(0).reverse()) await each();
  });

  async function start(args: string[], env: Record<string, string> = {}) {
    const collector = await CollectorStub.start();
    const scenario = new Scenario(SCENARIO, {
      node,
      args,
      env: { HANGWATCH_COLLECTOR: collector.url, HANGWATCH_TIMEOUT: '300', HANGWATCH_SERVICE: 'jobs', ...env },
    });
    cleanUp.push(
      () => collector.close(),
      () => expect(collector.refused).toEqual([]),
      () => scenario.stop(),
    );
    const line = async (index: number): Promise<Record<string, unknown>> =>
      scenario.until(({ stdout }) => {
        const all = stdout.split('\n');
        return all.length > index + 1 ? (JSON.parse(all[index] ?? '') as Record<string, unknown>) : undefined;
      });
    return { collector, scenario, line, first: await line(0) };
  }

  test('a job that hangs is reported with its place, in a process without a server', async () => {
    const { collector, first } = await start(['hang']);
    const dump = await collector.next(({ kind }) => kind === 'hang');
    const { hang } = first as Lines;
    expect(dump.requests).toHaveLength(1);
    expect(dump.requests[0]).toMatchObject({
      method: 'TASK',
      route: 'nightly report',
      path: 'nightly report',
      verdict: { evidence: 'no-progress' },
      awaits: [{ own: true }],
    });
    // The job's own, and not those of the caller that awaits it.
    expect(places(dump.requests[0])).toEqual([[hang]]);
    expect(dump.verdict.summary).toMatch(/^TASK nightly report has made no progress for .*: suspended in sendReports/);
  });

  test.each([
    ['resolve', ['fulfilled', 42]],
    ['reject', ['rejected', 'no']],
  ])('one that finishes late (%s) has recovered', async (how, outcome) => {
    const { collector, scenario, line } = await start(['late', how]);
    const hang = await collector.next(({ kind }) => kind === 'hang');
    scenario.child.stdin.write('\n');
    expect(await line(1)).toEqual(outcome);
    const ended = await collector.next(({ follows }) => follows === hang.id);
    expect(ended).toMatchObject({ kind: 'recovered', requests: [{ method: 'TASK', route: 'late' }] });
  });

  test('a task in a request is a record of its own, and the request keeps its context', async () => {
    const { collector, first } = await start(['request']);
    const { audit, outer, headers } = first as { audit: number; outer: number; headers: [string, string, string] };
    expect(headers[0]).not.toBe(headers[1]);
    expect(headers[2]).toBe(headers[0]);
    const dump = await collector.next((each) => named(each, 'audit') !== undefined);
    expect(places(named(dump, 'audit'))).toEqual([[audit]]);
    const request = dump.requests.find(({ method }) => method === 'GET');
    expect(places(request)).toEqual([[outer]]);
  });

  test('a task in a task is a record of its own', async () => {
    const { collector, first } = await start(['nested']);
    const dump = await collector.next((each) => named(each, 'inner') !== undefined);
    expect(places(named(dump, 'inner'))).toEqual([[first['inner']]]);
    expect(dump.requests.map(({ route }) => route).sort()).toEqual(['inner', 'outer']);
  });

  test('results, exceptions and rejections pass, and no slot is lost', async () => {
    const { scenario, first } = await start(['results']);
    expect(first).toEqual({
      value: 7,
      thenable: true,
      thrown: ['rejected', 'sync'],
      fulfilled: ['fulfilled', 8],
      rejected: ['rejected', 'async'],
      current: 'f',
      wrongOptions: 9,
      symbol: 10,
      registrations: 1,
      inFlight: 0,
    });
    expect(await scenario.ended).toMatchObject({ code: 0 });
    expect(scenario.stderr).toContain(
      'options of watchTask "g".timeout must be a positive number of milliseconds, got -1',
    );
  });

  test('an unhandled rejection is unhandled once, a handled one is handled', async () => {
    const { scenario } = await start(['unhandled']);
    const { stdout, code } = await scenario.ended;
    expect(stdout.trim().split('\n')).toEqual(['{"isPromise":true}', '{"unhandled":"nobody"}']);
    expect(code).toBe(0);
  });

  test('a process with nothing else alive ends by itself while a task hangs', async () => {
    const { collector, scenario } = await start(['exits']);
    await collector.next(({ kind }) => kind === 'hang');
    scenario.child.stdin.write('\n');
    expect(await scenario.ended).toMatchObject({ code: 0, signal: null, timedOut: false });
  });

  test('a task outlives the server that opened hangwatch, and is watched until it ends', async () => {
    const collector = await CollectorStub.start();
    cleanUp.push(() => collector.close());
    const scenario = new Scenario(SCENARIO, { node, args: ['outlives'], env: { HANGWATCH_COLLECTOR: collector.url } });
    cleanUp.push(() => scenario.stop());
    await collector.next(({ kind, requests }) => kind === 'hang' && requests[0]?.route === 'drain');
    scenario.child.stdin.end('\n');
    const { stdout, code } = await scenario.ended;
    expect({ ...JSON.parse(stdout), code }).toEqual({ during: 1, after: true, code: 0 });
    await collector.next(({ kind }) => kind === 'recovered');
  });

  test('thresholds of the call and of configure hold; what is not watched is only shown', async () => {
    const { collector } = await start(['options']);
    const dump = await collector.next(({ kind }) => kind === 'hang');
    expect(stuck(dump).map(({ route }) => route)).toEqual(['configured']);
    expect(dump.requests.map(({ route }) => route).sort()).toEqual([
      'configured',
      'patient',
      'still patient',
      'unwatched',
    ]);
  });

  test('switched off, it only calls', async () => {
    const { scenario, first } = await start(['disabled'], { HANGWATCH_DISABLED: '1' });
    expect(first).toEqual({ same: true, tracker: true });
    expect(await scenario.ended).toMatchObject({ code: 0, stderr: '' });
  });

  test('an environment that is wrong is said once, and fails no job', async () => {
    const { scenario, first } = await start(['disabled'], { HANGWATCH_TIMEOUT: 'abc' });
    expect(first).toEqual({ same: true, tracker: true });
    const { stderr } = await scenario.ended;
    expect(stderr.match(/HANGWATCH_TIMEOUT must be a positive number of milliseconds/g)).toHaveLength(1);
  });
});

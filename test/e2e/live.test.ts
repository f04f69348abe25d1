import { get } from 'node:http';
import { fileURLToPath } from 'node:url';
import type { Dump } from '@hangwatch/protocol';
import { CollectorStub, nodeBinaries, Scenario } from '@hangwatch/test-utils';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';

const SERVER = fileURLToPath(new URL('../scenarios/e2e/live.mjs', import.meta.url));
const [oldest, ...newer] = nodeBinaries();
if (oldest === undefined) throw new Error('there is a Node that runs this');
const CASES = [
  ...['express4', 'express5', 'koa2', 'koa3', 'fastify'].map((framework) => ({ framework, node: oldest })),
  ...[oldest, ...newer].map((node) => ({ framework: 'http', node })),
].map(({ framework, node }) => ({ framework, version: node.version, node: node.path }));

describe.each(CASES)('$framework on Node $version', ({ framework, node }) => {
  let collector: CollectorStub;
  let scenario: Scenario;
  let port: number;
  let answers = 1;

  beforeEach(async () => {
    collector = await CollectorStub.start();
    scenario = new Scenario(SERVER, { node, args: [framework], env: { HANGWATCH_COLLECTOR: collector.url } });
    answers = 0;
    port = (JSON.parse(await line()) as { port: number }).port;
  });

  afterEach(async () => {
    await scenario?.stop();
    await collector?.close();
    expect(collector?.refused).toEqual([]);
  });

  async function line(): Promise<string> {
    const at = answers++;
    return scenario.until(({ stdout }) => (stdout.split('\n').length > at + 1 ? stdout.split('\n')[at] : undefined));
  }
  async function say(text: string): Promise<string> {
    scenario.child.stdin.write(`${text}\n`);
    return line();
  }
  /** Sends requests that hang, and waits until all are in flight. */
  async function hang(...paths: string[]): Promise<Dump> {
    for (const path of paths) get({ host: '127.0.0.1', port, path, agent: false }).on('error', () => undefined);
    for (;;) {
      const dump = JSON.parse(await say('dump')) as Dump;
      const passed = dump.requests.filter(
        ({ checkpoint }) => framework === 'http' || checkpoint.label !== 'request entered',
      );
      if (passed.length === paths.length) return dump;
    }
  }
  const problems = async () => JSON.parse(await say('problems')) as string[];
  const tooLong = (timeout: string): unknown =>
    expect.stringContaining(
      `HANGWATCH_ERR_TIMEOUT_ORDER server.timeout is 62000 ms and ends requests before hangwatch can report them as stuck (timeout ${timeout}): `,
    );
  const stuckPaths = (dump: Dump) =>
    dump.requests.filter(({ state }) => state === 'stuck').map(({ path, route }) => `${path} ${route}`.split(' ')[0]);
  const reported = async (path: string) =>
    collector.next((dump) => dump.kind === 'hang' && stuckPaths(dump).includes(path));

  test('dump() and the signal send what is in flight, with its stacks, and call nothing stuck', async () => {
    const dump = await hang('/plain');
    expect(dump).toMatchObject({ kind: 'snapshot', verdict: { evidence: 'on-request' } });
    expect(dump.requests).toMatchObject([{ state: 'moving', timeoutMs: 60_000 }]);
    expect(dump.requests[0]?.trail?.[0]?.label).toBe('request entered');
    if (framework === 'http') expect(dump.requests[0]?.stacks[0]?.[0]?.function).toBe('waits');
    const before = collector.dumps.length;
    scenario.child.kill('SIGUSR2');
    await collector.next((each) => collector.dumps.indexOf(each) >= before);
    expect(collector.dumps.every(({ kind }) => kind === 'snapshot')).toBe(true);
  });

  test('thresholds change for requests in flight, for all or for a route', async () => {
    await hang('/plain', '/own');
    // A route's own timeout is compared with the server's when it is seen, and so is what a change brings.
    const own = framework.startsWith('koa') ? '' : ' of GET /own';
    const said = framework === 'http' ? [] : [tooLong(`70000 ms${own}`)];
    expect(await problems()).toEqual(said);
    expect(await say('configure {"timeout":61990}')).toBe('done');
    expect(await problems()).toEqual([...said, tooLong('61990 ms')]);
    expect(await say('configure {"timeout":"soon"}')).toBe(
      'configure(change).timeout must be a positive number of milliseconds, got "soon"',
    );
    const route = framework.startsWith('koa') ? 'GET /own' : '/own';
    expect(await say(`registration ${JSON.stringify({ routes: { [route]: { timeout: 300 } } })}`)).toBe('done');
    expect(stuckPaths(await reported('/own'))).toEqual(['/own']);
    expect(await say('configure {"timeout":300}')).toBe('done');
    expect(stuckPaths(await reported('/plain'))).toEqual(['/plain']);
  });

  test('what is not watched changes, too', async () => {
    await hang('/plain', '/off', '/own');
    const routes = { 'GET /plain': false, '/off': { timeout: 300 }, '/own': { timeout: 300 } };
    expect(await say(`configure ${JSON.stringify({ timeout: 300, ignore: '/ow*', routes })}`)).toBe('done');
    expect(stuckPaths(await reported('/off'))).toEqual(['/off']);
    expect(await say('configure {"ignore":[]}')).toBe('done');
    expect(stuckPaths(await reported('/own'))).toEqual(['/own']);
    expect(await say('configure {"routes":{"GET /plain":{}}}')).toBe('done');
    expect(stuckPaths(await reported('/plain'))).toEqual(['/plain']);
  });
});

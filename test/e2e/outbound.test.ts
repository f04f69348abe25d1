import { get } from 'node:http';
import { fileURLToPath } from 'node:url';
import type { Dump, DumpRequest } from '@hangwatch/protocol';
import { CollectorStub, Scenario } from '@hangwatch/test-utils';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { eachNode } from '../each-node.ts';

const SERVER = fileURLToPath(new URL('../scenarios/e2e/outbound.mjs', import.meta.url));

interface Started {
  readonly port: number;
  readonly ports: Record<'silentHttp' | 'halfHttp' | 'silentTcp' | 'silentHttp2' | 'deafTcp', number>;
}

// One process for all the routes of a version: most of the time goes into starting it.
eachNode(({ path: node, major }) => {
  let collector: CollectorStub;
  let scenario: Scenario;
  let started: Started;

  beforeAll(async () => {
    collector = await CollectorStub.start();
    scenario = new Scenario(SERVER, { node, env: { HANGWATCH_COLLECTOR: collector.url }, timeoutMs: 180_000 });
    started = await scenario.until(({ stdout }) =>
      stdout.includes('\n') ? (JSON.parse(stdout.split('\n')[0] ?? '') as Started) : undefined,
    );
  });

  afterAll(async () => {
    await scenario.stop();
    await collector.close();
    expect(collector.refused).toEqual([]);
  });

  const stuckOn = (dump: Dump, path: string) =>
    dump.requests.filter((request) => request.path === path && request.state === 'stuck');

  /** Sends a request `times`, and waits until all of them have been reported. */
  async function hang(path: string, times = 1): Promise<DumpRequest[]> {
    for (let i = 0; i < times; i++) {
      get({ host: '127.0.0.1', port: started.port, path, agent: false }, (response) => response.resume()).on(
        'error',
        () => undefined,
      );
    }
    const found = new Map<number, DumpRequest>();
    await collector.next((dump) => {
      for (const request of stuckOn(dump, path)) if (!found.has(request.id)) found.set(request.id, request);
      return found.size >= times;
    });
    return [...found.values()];
  }

  const waits = (requests: DumpRequest[]) => requests.flatMap(({ waitsFor }) => waitsFor.map(({ label }) => label));

  /** Path, label, and where it is not to be had on every version, from which on it is. */
  const cases: [string, string, number?][] = [
    ['/fetch', 'GET http://127.0.0.1:{silentHttp}/v1/items/*, sent, no response headers'],
    [
      '/fetch-connect',
      'GET http://127.0.0.1:{deafTcp}/, waiting for a connection; one to 127.0.0.1:{deafTcp} is being opened',
    ],
    ['/http', 'GET http://127.0.0.1:{silentHttp}/x, sent, no response headers'],
    ['/http-upload', 'PUT http://127.0.0.1:{silentHttp}/, request body not sent whole', 22],
    ['/http-connect', 'GET http://127.0.0.1:{deafTcp}/, connect 127.0.0.1:{deafTcp}, no answer'],
    ['/http-dns', 'GET http://example.test/, DNS lookup of example.test'],
    ['/https', 'GET https://127.0.0.1:{silentTcp}/, TLS handshake with 127.0.0.1:{silentTcp}, no answer'],
    ['/http2', 'GET http://127.0.0.1:{silentHttp2}/stream, sent, no response headers', 22],
    ['/net', 'connect 127.0.0.1:{deafTcp}, no answer'],
    ['/net-socket', 'connect 127.0.0.1:{deafTcp}, no answer'],
    ['/tls', 'TLS handshake with 127.0.0.1:{silentTcp}, no answer'],
    ['/dns', 'DNS lookup of example.test'],
    ['/dns-callback', 'DNS lookup of example.test'],
    ['/mysql', 'database connection at 127.0.0.1:{silentTcp}, not ready'],
    ['/ioredis', 'redis connection at 127.0.0.1:{silentTcp}, not ready'],
    ['/redis', 'redis GET at 127.0.0.1:{silentTcp}, no reply'],
    ['/mssql', 'database connection at 127.0.0.1:{silentTcp}, not ready', 22],
  ];

  test.each(cases.filter(([, , since = 20]) => major >= since))('%s: %s', async (path, label) => {
    const [request] = await hang(path);
    const text = label.replace(/\{(\w+)\}/g, (_, name: keyof Started['ports']) => String(started.ports[name]));
    expect(waits(request === undefined ? [] : [request])).toContain(text);
    expect(request?.verdict?.evidence).toBe('waiting-outbound');
    expect(request?.verdict?.summary).toMatch(/has stood still for .+, with .+, under way for /);
    for (const wait of request?.waitsFor ?? []) expect(wait.sinceMs).toBeLessThanOrEqual(request?.elapsedMs ?? 0);
  });

  test.each(['/fetch-body', '/http-body'])('%s: headers, and no end of the body', async (path) => {
    const [label] = waits(await hang(path));
    expect(label).toMatch(/^GET http:\S+, response headers, no end of the response body \(\d{3} bytes so far\)$/);
  });

  test('the agent has as many sockets as it may have: who waits for one says so', async () => {
    const labels = waits(await hang('/http-agent', 3)).sort();
    const url = `GET http://127.0.0.1:${started.ports.silentHttp}/agent`;
    expect(labels).toEqual([
      `${url}, sent, no response headers`,
      `${url}, sent, no response headers`,
      `${url}, waiting for a socket of the agent (2 of 2 in use)`,
    ]);
  });

  test('a call in the queue of an exhausted pool', async () => {
    const labels = waits(await hang('/undici', 3)).sort();
    const url = `POST http://127.0.0.1:${started.ports.silentHttp}/pool`;
    expect(labels).toEqual([
      `${url}, sent, no response headers`,
      `${url}, sent, no response headers`,
      `${url}, waiting for a connection of the undici pool (2 of 2 in use)`,
    ]);
  });

  test('a fetch in the queue of an exhausted pool', async () => {
    const labels = waits(await hang('/fetch-queued', 3)).sort();
    const url = `GET http://127.0.0.1:${started.ports.silentHttp}/queued`;
    expect(labels).toEqual([
      `${url}, sent, no response headers`,
      `${url}, sent, no response headers`,
      'fetch, in the queue of its dispatcher or sent from there, no response headers',
    ]);
  });

  test('a query has its verb and table, and who waits for the pool’s connection says so', async () => {
    const requests = await hang('/mysql-pool', 2);
    const labels = waits(requests).map((label) => label.replace(/:\d+/, ':{port}'));
    expect(labels).toContain('SELECT users at 127.0.0.1:{port}, no answer');
    expect(labels).toContain('a connection of the database pool at 127.0.0.1:{port}');
    const waiting = requests.find(({ waitsFor }) => waitsFor.every(({ type }) => type === 'pool'));
    expect(waiting?.verdict?.evidence).toBe('no-progress');
  });

  test('a child that waits for its input: its file, and no argument', async () => {
    expect(waits(await hang('/child'))).toEqual([expect.stringMatching(/^child process cat \(pid \d+\), running$/)]);
  });

  test('a worker that never answers', async () => {
    const [label] = waits(await hang('/worker'));
    expect(label).toMatch(
      /^worker thread \d+( "silent")?, (running, its event loop busy for \d+% of its life|its event loop has not begun)$/,
    );
  });

  test('a thread of a pool that was there before: where the request waits, and no thread', async () => {
    const answered = await fetch(`http://127.0.0.1:${started.port}/thread-pool-answered`);
    expect(await answered.text()).toBe('done');
    const [request, other] = await hang('/thread-pool', 2);
    for (const each of [request, other]) {
      expect(each?.stacks[0]?.map((frame) => frame.function)).toContain('thumbnails');
      expect(each?.verdict).toMatchObject({ evidence: 'no-progress' });
      expect(each?.verdict?.summary).toContain('suspended in thumbnails');
      expect(each?.waitsFor).toEqual([]);
    }
    // What came back through the pool has ended.
    expect(collector.dumps.flatMap(({ requests }) => requests.map(({ path }) => path))).not.toContain(
      '/thread-pool-answered',
    );
  });

  test('an import whose module never ends', async () => {
    const [request] = await hang('/import');
    const labels = waits(request === undefined ? [] : [request]);
    // Node 20 does not say which module: the line that imports it is known.
    if (major < 22) expect(labels).toEqual([expect.stringMatching(/^import at line \d+ of outbound\.mjs$/)]);
    else expect(labels).toEqual([expect.stringMatching(/^import \S*\/endless\.mjs$/)]);
    expect(request?.verdict?.evidence).toBe('no-progress');
  });

  test('a file read with fs/promises', async () => {
    const [request] = await hang('/fs');
    // From Node 26 on the reading is one function.
    expect(waits(request === undefined ? [] : [request])).toEqual([
      `fs.readFile${major < 26 ? ', in open' : ''}, not finished`,
    ]);
    expect(request?.verdict?.evidence).toBe('waiting-outbound');
  });

  test('a file read with a callback: the request is known as far as Node keeps it', async () => {
    const labels = waits(await hang('/fs-callback'));
    expect(labels).toEqual(major < 24 ? ['file system call, not finished'] : []);
  });

  test('calls that waited in a pool belong to who made them, not to whose connection sends them', async () => {
    const opener = hang('/opener');
    const [behind] = await hang('/queued-behind');
    const [first] = await opener;
    expect(first?.waitsFor).toEqual([]);
    // The connections that it has opened go on in its context.
    expect(first?.verdict?.evidence).not.toBe('waiting-outbound');
    expect(behind?.waitsFor.map(({ label }) => label.replace(/:\d+/, ':{port}'))).toEqual([
      'GET http://127.0.0.1:{port}/drained-request, sent, no response headers',
    ]);
  });

  test('a call that was answered is no explanation', async () => {
    const [request] = await hang('/unrelated');
    expect(request?.waitsFor).toEqual([]);
    expect(request?.verdict?.evidence).not.toBe('waiting-outbound');
  });

  test('no credential, query value, argument, key or literal is in any dump', () => {
    expect(collector.dumps.length).toBeGreaterThan(10);
    expect(JSON.stringify(collector.dumps)).not.toContain('secret');
  });
});

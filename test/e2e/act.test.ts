import { connect } from 'node:net';
import { fileURLToPath } from 'node:url';
import { CollectorStub, nodeBinaries, Scenario } from '@hangwatch/test-utils';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { exchange } from '../contract/exchange.ts';

const SERVER = fileURLToPath(new URL('../scenarios/e2e/act.mjs', import.meta.url));
const FRAMEWORKS = ['http', 'http2', 'express4', 'express5', 'koa2', 'koa3', 'fastify'];
const [oldest, ...newer] = nodeBinaries();
if (oldest === undefined) throw new Error('there is a Node that runs this');
/** Every framework on the oldest Node; on the newer ones what Node itself decides. */
const CASES = [
  ...FRAMEWORKS.map((framework) => ({ framework, version: oldest.version, node: oldest.path })),
  ...newer.flatMap(({ version, path }) =>
    ['http', 'http2', 'express5', 'fastify'].map((framework) => ({ framework, version, node: path })),
  ),
];

interface State {
  readonly uncaught: readonly string[];
  readonly late: readonly string[];
  readonly reasons: readonly string[];
}

describe.each(CASES)('$framework on Node $version', ({ framework, node }) => {
  let collector: CollectorStub;
  let scenario: Scenario;
  let port: number;
  const scheme = framework === 'http2' ? 'http2' : 'http';
  const ask = (path: string) => exchange(scheme, port, { path });
  const state = async () => JSON.parse((await ask('/state')).body) as State;

  beforeAll(async () => {
    collector = await CollectorStub.start();
    scenario = new Scenario(SERVER, {
      node,
      args: [framework],
      env: { HANGWATCH_COLLECTOR: collector.url, NODE_ENV: 'production' },
    });
    port = await scenario.until(({ stdout }) =>
      stdout.includes('\n') ? (JSON.parse(stdout) as { port: number }).port : undefined,
    );
  });

  afterAll(async () => {
    await scenario?.stop();
    await collector?.close();
  });

  test('a stuck request is answered in its place, and its end is told', async () => {
    const { status, headers, body } = await ask('/hang');
    expect({ status, body }).toEqual({ status: 503, body: 'Service Unavailable\n' });
    if (scheme === 'http') expect(headers.map((each) => each.toLowerCase())).toContain('connection: close');
    const hang = await collector.next(({ kind }) => kind === 'hang');
    const gone = await collector.next(({ kind, follows }) => kind === 'gone' && follows === hang.id);
    expect(gone.verdict.summary).toMatch(/was answered 503 by hangwatch after/);
  });

  test('late answers of every kind reach nobody and break nothing', async () => {
    const paths = ['/answer', '/raw', '/throw', '/stream'];
    if (['express4', 'express5', 'fastify'].includes(framework)) paths.push('/return');
    const answers = await Promise.all(paths.map(ask));
    expect(answers.map(({ status }) => status)).toEqual(paths.map(() => 503));
    await ask('/release');
    let now = await state();
    while (now.late.length < paths.length + 1) now = await state();
    expect([...now.late].sort()).toEqual([...paths.map((path) => path.slice(1)), 'threw'].sort());
    expect((await ask('/ok')).body).toBe('ok');
    expect((await state()).uncaught).toEqual([]);
  });

  test.skipIf(scheme === 'http2')('the client gets one answer, whole, and then the end of the connection', async () => {
    const socket = connect(port, '127.0.0.1');
    socket.setEncoding('utf8').write('GET /answer HTTP/1.1\r\nhost: x\r\n\r\n');
    let all = '';
    for await (const text of socket) all += text;
    await ask('/release');
    expect(all.match(/HTTP\/1\.1/g)).toHaveLength(1);
    expect(all).toMatch(/^HTTP\/1\.1 503 Service Unavailable\r\n[\s\S]*\r\n\r\nService Unavailable\n$/);
  });

  test('middleware that has exchanged the methods of the response is passed by', async () => {
    const { status, headers } = await ask('/patched');
    expect(status).toBe(503);
    expect(headers).toContain('x-kept: 1');
    expect(headers.filter((each) => /^(etag|set-cookie)/.test(each))).toEqual([]);
  });

  test.skipIf(scheme === 'http2')('a response that has begun is left alone', async () => {
    const abort = new AbortController();
    const response = await fetch(`http://127.0.0.1:${port}/started`, { signal: abort.signal });
    const hang = await collector.next(
      ({ kind, requests }) =>
        kind === 'hang' && requests.some(({ path, state: is }) => path === '/started' && is === 'stuck'),
    );
    // A later request is answered: had this one been to be, it would have been before.
    await ask('/hang');
    expect(response.status).toBe(200);
    abort.abort();
    const gone = await collector.next(({ kind, follows }) => kind === 'gone' && follows === hang.id);
    expect(gone.verdict.summary).toMatch(/left by (its client|their clients)/);
  });

  test.skipIf(scheme === 'http2' || framework === 'http')(
    'abort fires the signal with the reason, and the application answers',
    async () => {
      const { status, body } = await ask('/abort');
      expect({ status, body }).toEqual({ status: 504, body: 'given up' });
      expect((await state()).reasons).toContain('HANGWATCH_ERR_STUCK');
    },
  );

  test.skipIf(scheme === 'http2' || framework === 'http')('with both, the answer is out before the abort', async () => {
    const before = (await state()).reasons.length;
    expect((await ask('/both')).status).toBe(503);
    let now = await state();
    while (now.reasons.length === before) now = await state();
    expect(now.reasons).not.toContain('not aborted');
    expect(now.uncaught).toEqual([]);
  });
});

import { mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { get } from 'node:http';
import { createServer } from 'node:net';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import type { Dump } from '@hangwatch/protocol';
import { CollectorStub, Scenario } from '@hangwatch/test-utils';
import { transform } from 'esbuild';
import { afterAll, beforeAll, expect, test } from 'vitest';

/** Inside the workspace, so that packages are found from here. */
const FOLDER = fileURLToPath(new URL('../.readme', import.meta.url));
const TOKEN = 'ops-token';

beforeAll(() => mkdirSync(FOLDER, { recursive: true }));
afterAll(() => rmSync(FOLDER, { recursive: true, force: true }));

/** The example below `All of it` in a package's README, as JavaScript in a file. */
async function example(name: string): Promise<string> {
  const readme = readFileSync(new URL(`../../packages/${name}/README.md`, import.meta.url), 'utf8');
  const source = /^##+ All of it\n+```ts\n(.*?)^```$/ms.exec(readme)?.[1];
  if (source === undefined) throw new Error(`packages/${name}/README.md has no example "All of it"`);
  const file = join(FOLDER, `${name}.mjs`);
  writeFileSync(file, (await transform(source, { loader: 'ts' })).code);
  return file;
}

async function freePort(): Promise<number> {
  const server = createServer();
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const address = server.address();
  await new Promise((resolve) => server.close(resolve));
  return typeof address === 'object' ? (address?.port ?? 0) : 0;
}

interface Answer {
  readonly status: number | undefined;
  readonly body: string;
}

function ask(port: number, path: string, headers: Record<string, string> = {}): Promise<Answer | undefined> {
  return new Promise((resolve) => {
    get({ host: 'localhost', port, path, headers, agent: false }, (response) => {
      let body = '';
      response.setEncoding('utf8').on('data', (text: string) => {
        body += text;
      });
      response.on('end', () => resolve({ status: response.statusCode, body }));
    }).on('error', () => resolve(undefined));
  });
}

test.concurrent.each(['core', 'fastify', 'express', 'koa'])(
  'the example in packages/%s/README.md does what it says',
  async (name) => {
    const collector = await CollectorStub.start();
    // Takes connections, and answers nobody.
    let ended = 0;
    const silent = createServer((socket) => socket.on('close', () => (ended += 1)).on('error', () => undefined));
    await new Promise<void>((resolve) => silent.listen(0, '127.0.0.1', resolve));
    const address = silent.address();
    const port = await freePort();
    const run = new Scenario(await example(name), {
      env: {
        PORT: String(port),
        PRICES: `http://127.0.0.1:${typeof address === 'object' ? address?.port : 0}`,
        LEGACY_MS: '60000',
        OPS_TOKEN: TOKEN,
        HANGWATCH_COLLECTOR: collector.url,
        HANGWATCH_TIMEOUT: '500',
      },
    });
    try {
      while ((await ask(port, '/self-test')) === undefined) await new Promise((resolve) => setTimeout(resolve, 50));
      void ask(port, '/events');
      void ask(port, '/legacy');
      const hangOf = (path: string) => (dump: Dump) =>
        dump.kind === 'hang' && dump.requests.some((request) => request.path === path && request.state === 'stuck');
      // Answered in its place, and what it waited for has been ended.
      expect(await ask(port, '/prices')).toMatchObject({ status: 503 });
      await collector.next(hangOf('/prices'));
      while (ended === 0) await new Promise((resolve) => setTimeout(resolve, 20));
      const legacy = (await collector.next(hangOf('/legacy'))).requests.find(({ path }) => path === '/legacy');
      expect(legacy?.pending).toMatchObject([{ type: 'Timeout' }]);
      // Never called stuck.
      expect(collector.dumps.some(hangOf('/events'))).toBe(false);
      run.child.kill('SIGUSR2');
      const snapshot = await collector.next(({ kind }) => kind === 'snapshot');
      expect(snapshot.requests.map(({ path }) => path)).toEqual(expect.arrayContaining(['/events', '/legacy']));
      expect((await ask(port, '/self-test'))?.status).toBe(401);
      const proven = await ask(port, '/self-test', { authorization: `Bearer ${TOKEN}` });
      expect({ status: proven?.status, ...JSON.parse(proven?.body ?? '{}') }).toMatchObject({ status: 200, ok: true });
      // Express says what a handler was rejected with: here, the signal's reason.
      expect(run.stderr).not.toMatch(/HANGWATCH_ERR_(?!STUCK)/);
    } finally {
      await run.stop();
      silent.close();
      await collector.close();
    }
  },
);

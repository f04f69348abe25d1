import { spawnSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import { createGzip, gzipSync } from 'node:zlib';
import { nodeBinaries, Scenario, sampleDump } from '@hangwatch/test-utils';
import { afterAll, afterEach, describe, expect, test } from 'vitest';

const HANGWATCH = fileURLToPath(new URL('../../packages/cli/bin/hangwatch.js', import.meta.url));
const TEST_FOLDER = fileURLToPath(new URL('..', import.meta.url));
const folder = mkdtempSync(path.join(tmpdir(), 'hangwatch-e2e-collector-'));
const JSON_HEADERS = { 'content-type': 'application/json' };

afterAll(() => rmSync(folder, { recursive: true, force: true }));

let collector: Scenario | undefined;
afterEach(async () => {
  await collector?.stop();
  collector = undefined;
});

async function start(node: string, db: string, env: Record<string, string> = {}): Promise<string> {
  const args = ['collector', '--json', '--port', '0', '--db', path.join(folder, db)];
  collector = new Scenario(HANGWATCH, { node, args, env });
  return collector.until(({ stdout }) =>
    stdout.includes('\n') ? (JSON.parse(stdout) as { url: string }).url : undefined,
  );
}

const post = (url: string, body: string | Uint8Array, headers: Record<string, string> = {}) =>
  fetch(`${url}/v1/dumps`, { method: 'POST', headers: { ...JSON_HEADERS, ...headers }, body });
const isStored = async (url: string, id: string) => (await fetch(`${url}/v1/dumps/${id}`)).status === 200;

describe.each(nodeBinaries())('the collector on Node $version', ({ path: node, major }) => {
  test('keeps what it was sent across a restart, and ends on SIGTERM', async () => {
    const dump = { ...sampleDump(), added: 'later' };
    let url = await start(node, `restart-${major}.db`);
    expect((await post(url, gzipSync(JSON.stringify(dump)), { 'content-encoding': 'gzip' })).status).toBe(202);
    const ended = await collector?.stop('SIGTERM');
    expect(ended).toMatchObject({ code: 0, signal: null, stderr: '' });

    url = await start(node, `restart-${major}.db`);
    expect(await (await fetch(`${url}/v1/dumps/${dump.id}`)).json()).toEqual(dump);
    expect(await (await post(url, JSON.stringify(dump))).json()).toEqual({ accepted: 0, duplicates: 1 });
    expect(await (await fetch(`${url}/healthz`)).json()).toEqual({ status: 'ok' });
    expect(await (await fetch(url)).text()).toContain(`/dumps/${dump.id}`);
  });

  test('every dump that was acknowledged before kill -9 is there afterwards', async () => {
    let url = await start(node, `kill-${major}.db`);
    const acknowledged: string[] = [];
    const sent: string[] = [];
    const sender = async () => {
      for (;;) {
        const dump = sampleDump();
        sent.push(dump.id);
        if ((await post(url, JSON.stringify(dump))).status !== 202) throw new Error('refused');
        acknowledged.push(dump.id);
        if (acknowledged.length === 60) collector?.child.kill('SIGKILL');
      }
    };
    const results = await Promise.allSettled([sender(), sender(), sender(), sender()]);
    expect(results.map(({ status }) => status)).toEqual(['rejected', 'rejected', 'rejected', 'rejected']);
    expect(acknowledged.length).toBeGreaterThanOrEqual(60);

    url = await start(node, `kill-${major}.db`);
    for (const id of acknowledged) expect(await isStored(url, id)).toBe(true);
    const { dumps } = (await (await fetch(`${url}/v1/dumps?limit=500&view=head`)).json()) as {
      dumps: { id: string }[];
    };
    expect(dumps.filter(({ id }) => !sent.includes(id))).toEqual([]);
    expect(new Set(dumps.map(({ id }) => id)).size).toBe(dumps.length);
  });

  test('is the same by import and by require', () => {
    const body =
      "createCollector({ port: 0, db: ':memory:' }).then(async (c) => { console.log(await c.listen()); await c.close(); })";
    for (const [type, load] of [
      ['module', "import { createCollector } from '@hangwatch/collector';"],
      ['commonjs', "const { createCollector } = require('@hangwatch/collector');"],
    ] as const) {
      const result = spawnSync(node, [`--input-type=${type}`, '-e', load + body], {
        cwd: TEST_FOLDER,
        encoding: 'utf8',
        timeout: 30_000,
      });
      expect([result.status, result.stdout]).toEqual([0, expect.stringMatching(/^http:\/\/127\.0\.0\.1:\d+\n$/)]);
    }
  });
});

describe('the collector', () => {
  const node = process.execPath;

  test('answers a request that is under way when it is told to end', async () => {
    const url = await start(node, 'drain.db');
    const text = JSON.stringify(sampleDump({ id: 'under-way' }));
    const body = new ReadableStream<Uint8Array>({
      async start(controller) {
        controller.enqueue(new TextEncoder().encode(text.slice(0, 50)));
        await new Promise((resolve) => setTimeout(resolve, 200));
        collector?.child.kill('SIGTERM');
        await new Promise((resolve) => setTimeout(resolve, 200));
        controller.enqueue(new TextEncoder().encode(text.slice(50)));
        controller.close();
      },
    });
    const response = await fetch(`${url}/v1/dumps`, { method: 'POST', headers: JSON_HEADERS, body, duplex: 'half' });
    expect([response.status, await response.json()]).toEqual([202, { accepted: 1, duplicates: 0 }]);
    const answered = performance.now();
    expect(await collector?.ended).toMatchObject({ code: 0, signal: null });
    // The connection, which the client would keep alive, does not keep the collector.
    expect(performance.now() - answered).toBeLessThan(3_000);
    expect(await isStored(await start(node, 'drain.db'), 'under-way')).toBe(true);
  });

  test.runIf(process.platform === 'linux')(
    'a gigabyte in a megabyte of gzip is refused without unpacking it',
    async () => {
      const url = await start(node, 'bomb.db');
      const bomb = await gzipOfZeros(1024);
      expect(bomb.length).toBeLessThan(2_000_000);
      const answers = await Promise.all([1, 2, 3].map(() => post(url, bomb, { 'content-encoding': 'gzip' })));
      expect(answers.map(({ status }) => status)).toEqual([413, 413, 413]);
      const peak = /VmHWM:\s+(\d+) kB/.exec(readFileSync(`/proc/${collector?.child.pid}/status`, 'utf8'))?.[1];
      expect(Number(peak)).toBeLessThan(500_000);
      expect((await post(url, JSON.stringify(sampleDump()))).status).toBe(202);
    },
  );

  test('listens on loopback only, and with a token lets nobody in without it', async () => {
    const url = await start(node, 'token.db', { HANGWATCH_TOKEN: 'token-of-the-test' });
    expect(new URL(url).hostname).toBe('127.0.0.1');
    expect((await post(url, JSON.stringify(sampleDump()))).status).toBe(401);
    expect((await fetch(`${url}/v1/dumps`)).status).toBe(401);
    expect((await fetch(url)).status).toBe(401);
    const authorization = { authorization: 'Bearer token-of-the-test' };
    expect((await post(url, JSON.stringify(sampleDump()), authorization)).status).toBe(202);
  });
});

/** Zeros, compressed, without ever holding all of them. */
async function gzipOfZeros(mebibytes: number): Promise<Buffer> {
  const gzip = createGzip({ level: 9 });
  const zeros = Buffer.alloc(1024 * 1024);
  const chunks: Buffer[] = [];
  gzip.on('data', (chunk: Buffer) => chunks.push(chunk));
  for (let written = 0; written < mebibytes; written += 1) {
    await new Promise<void>((resolve) => gzip.write(zeros, () => resolve()));
  }
  await new Promise<void>((resolve) => gzip.once('end', resolve).end());
  return Buffer.concat(chunks);
}

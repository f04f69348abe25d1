import { type ChildProcess, spawn } from 'node:child_process';
import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { get } from 'node:http';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { type Collector, createCollector } from '@hangwatch/collector';
import type { Dump } from '@hangwatch/protocol';
import { afterEach, beforeAll, describe, expect, test, vi } from 'vitest';

const EXAMPLES = fileURLToPath(new URL('../../examples', import.meta.url));

const LONGEST_WAIT_MS = 60_000;

/** An example, started as its README says: `npm start` in its folder. */
class Example {
  output = '';
  readonly #child: ChildProcess;
  #ended = false;
  #waiting: (() => void)[] = [];

  constructor(name: string, env: Record<string, string>) {
    const inherited = Object.entries(process.env).filter(
      ([key]) => !/^(VITEST|HANGWATCH|NODE_ENV|npm_|NODE_OPTIONS)/.test(key),
    );
    this.#child = spawn('npm', ['start'], {
      cwd: join(EXAMPLES, name),
      env: { ...Object.fromEntries(inherited), ...env },
      stdio: ['ignore', 'pipe', 'pipe'],
      // A group of its own: npm starts a shell, which starts the example.
      detached: true,
    });
    for (const stream of [this.#child.stdout, this.#child.stderr]) {
      stream?.setEncoding('utf8').on('data', (text: string) => {
        this.output += text;
        this.#wake();
      });
    }
    this.#child.once('close', () => {
      this.#ended = true;
      this.#wake();
    });
  }

  /** Waits until something is in the output. The first wait is for the compiler. */
  async says(what: string | RegExp): Promise<void> {
    const timer = setTimeout(() => {
      this.#ended = true;
      this.#wake();
    }, LONGEST_WAIT_MS);
    await this.#until(what).finally(() => clearTimeout(timer));
  }

  async #until(what: string | RegExp): Promise<void> {
    while (!(typeof what === 'string' ? this.output.includes(what) : what.test(this.output))) {
      if (this.#ended) throw new Error(`the example ended, or took too long, without ${what}:\n${this.output}`);
      await new Promise<void>((resolve) => this.#waiting.push(resolve));
    }
  }

  async stop(): Promise<void> {
    if (this.#child.pid === undefined || this.#child.exitCode !== null || this.#child.signalCode !== null) return;
    const closed = new Promise((resolve) => this.#child.once('close', resolve));
    process.kill(-this.#child.pid, 'SIGKILL');
    await closed;
  }

  #wake(): void {
    for (const wake of this.#waiting.splice(0)) wake();
  }
}

/** The example's own source, and the place in it of what hangs. */
function hangingPlace(name: string): { file: string; line: number; text: string } {
  const file = readdirSync(join(EXAMPLES, name)).find((each) => /^server\.(ts|cjs)$/.test(each)) ?? '';
  const lines = readFileSync(join(EXAMPLES, name, file), 'utf8').split('\n');
  const at = lines.findIndex((text) => text.includes('await once('));
  return { file, line: at + 1, text: `(${file}:${at + 1}:${(lines[at] ?? '').indexOf('await once(') + 1})` };
}

async function freePort(): Promise<number> {
  const server = createServer();
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const address = server.address();
  await new Promise((resolve) => server.close(resolve));
  return typeof address === 'object' ? (address?.port ?? 0) : 0;
}

vi.setConfig({ testTimeout: 3 * LONGEST_WAIT_MS });
let example: Example | undefined;
let port: number;
const aborts: AbortController[] = [];

beforeAll(async () => {
  port = await freePort();
});
afterEach(async () => {
  for (const abort of aborts.splice(0)) abort.abort();
  await example?.stop();
});

/** A request that may never be answered. */
function request(path: string): AbortController {
  const abort = new AbortController();
  aborts.push(abort);
  get({ host: '127.0.0.1', port, path, signal: abort.signal, agent: false }, (response) => response.resume()).on(
    'error',
    () => undefined,
  );
  return abort;
}

test('every example is tested here, or is the demo, which checks itself', () => {
  const folders = readdirSync(EXAMPLES).filter((each) => existsSync(join(EXAMPLES, each, 'package.json')));
  expect(folders.sort()).toEqual(['demo', ...ON_STDERR, 'readiness'].sort());
});

const ON_STDERR = ['express', 'express-cjs', 'fastify', 'koa', 'node-http'];

describe.each(ON_STDERR)('examples/%s', (name) => {
  test('its hang is reported on stderr with its own line of source, and so is the client that leaves', async () => {
    example = new Example(name, { PORT: String(port) });
    await example.says('/hang');
    const client = request('/hang');
    await example.says(/HANG \(.*\): GET \/hang/);
    await example.says(hangingPlace(name).text);
    client.abort();
    await example.says('GONE');
    expect(example.output).not.toContain('HANGWATCH_ERR');
    expect(example.output).not.toMatch(/dist\/server\.js:\d/);
  });
});

test('examples/express: a forgotten next() is reported with the middleware that forgot it', async () => {
  example = new Example('express', { PORT: String(port) });
  await example.says('/hang');
  request('/forgotten');
  await example.says(/GET \/forgotten/);
  const lines = readFileSync(join(EXAMPLES, 'express/server.ts'), 'utf8').split('\n');
  const line = lines.findIndex((text) => text.includes('function checkCredentials')) + 1;
  await example.says(`server.ts:${line}`);
});

test('examples/readiness: not ready until a collector has acknowledged the staged hang; a real one is then reported', async () => {
  const at = await freePort();
  const folder = mkdtempSync(join(tmpdir(), 'hangwatch-readiness-'));
  let collector: Collector | undefined;
  try {
    example = new Example('readiness', { PORT: String(port), HANGWATCH_COLLECTOR: `http://127.0.0.1:${at}` });
    await example.says('ECONNREFUSED');
    const ready = async () => {
      const response = await fetch(`http://127.0.0.1:${port}/ready`);
      return { status: response.status, body: (await response.json()) as { why: string } };
    };
    expect(await ready()).toMatchObject({ status: 503, body: { why: expect.stringContaining('not delivered') } });
    collector = await createCollector({ port: at, db: join(folder, 'test.db') });
    await collector.listen();
    await example.says('has acknowledged dump');
    const { status, body } = await ready();
    expect(status).toBe(200);
    const read = async (id: string) => (await (await fetch(`http://127.0.0.1:${at}/v1/dumps/${id}`)).json()) as Dump;
    expect(await read(body.why.split(' ').at(-1) ?? '')).toMatchObject({ kind: 'hang', selfTest: true });
    request('/hang');
    const { file, line } = hangingPlace('readiness');
    const dump = await firstReal(`http://127.0.0.1:${at}`, read);
    expect(dump.requests[0]?.stacks.flat().some((frame) => frame.file.endsWith(file) && frame.line === line)).toBe(
      true,
    );
  } finally {
    await collector?.close();
    rmSync(folder, { recursive: true });
  }
});

/** The collector tells of new dumps only to who asks again. */
async function firstReal(url: string, read: (id: string) => Promise<Dump>): Promise<Dump> {
  for (;;) {
    const { dumps } = (await (await fetch(`${url}/v1/dumps`)).json()) as { dumps: { id: string; kind: string }[] };
    for (const { id, kind } of dumps) {
      const dump = await read(id);
      if (kind === 'hang' && dump.selfTest !== true) return dump;
    }
    await new Promise((resolve) => setTimeout(resolve, 100));
  }
}

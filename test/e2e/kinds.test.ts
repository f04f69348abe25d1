import { mkdtempSync, rmSync } from 'node:fs';
import { get, request as httpRequest } from 'node:http';
import { type ClientHttp2Session, connect as connectHttp2 } from 'node:http2';
import { connect, type Socket } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import type { Dump, DumpRequest } from '@hangwatch/protocol';
import { CollectorStub, Scenario } from '@hangwatch/test-utils';
import { transformSync } from 'esbuild';
import { afterEach, describe, expect, test } from 'vitest';
import { eachNode } from '../each-node.ts';

const SERVER = fileURLToPath(new URL('../scenarios/e2e/kinds.mjs', import.meta.url));
const FRAMEWORKS = ['http', 'express4', 'express5', 'koa', 'fastify'] as const;
/** Who looks at the promise of an async handler: where nobody does, a rejection goes unseen. */
const UNSEEN = ['http', 'express4'];

/** Where handlers that return Bluebird's promises are tried as well: one that ignores what they return, and one that awaits it. */
const BLUEBIRDS = ['express4', 'koa'];

/** As a build for an old target leaves it: generators, that are suspended in no `await`. */
const DOWNLEVELLED = transformSync(
  'exports.outer = async function outer(wait) { await inner(wait); }; async function inner(wait) { await wait(); }',
  { target: 'es2016', format: 'cjs' },
).code;

interface Started {
  readonly port: number;
  readonly lines: Record<string, number[]>;
}

/** What is left to be done after a test, by the port of its server: the versions of Node run side by side. */
const leftOver = new Map<number, { readonly node: string; readonly work: (() => unknown)[] }>();

function later(port: number, work: () => unknown): void {
  leftOver.get(port)?.work.push(work);
}

async function cleanUpAfter(node: string): Promise<void> {
  for (const [port, left] of leftOver) {
    if (left.node !== node) continue;
    leftOver.delete(port);
    for (const each of left.work.reverse()) await each();
  }
}

async function start(node: string, framework: string, options: Record<string, unknown> = {}) {
  const collector = await CollectorStub.start();
  const folder = mkdtempSync(join(tmpdir(), 'hangwatch-kinds-'));
  const scenario = new Scenario(SERVER, {
    node,
    args: [framework, JSON.stringify(options)],
    env: {
      HANGWATCH_COLLECTOR: collector.url,
      HANGWATCH_SERVICE: 'e2e',
      KINDS_DOWNLEVELLED: DOWNLEVELLED,
      KINDS_FOLDER: folder,
    },
  });
  const started = await scenario.until(({ stdout }) =>
    stdout.includes('\n') ? (JSON.parse(stdout.split('\n')[0] ?? '') as Started) : undefined,
  );
  leftOver.set(started.port, {
    node,
    work: [
      () => rmSync(folder, { recursive: true }),
      () => collector.close(),
      () => expect(collector.refused).toEqual([]),
      () => scenario.stop(),
    ],
  });
  return { collector, ...started };
}

function ask(port: number, path: string): Promise<string> {
  const abort = new AbortController();
  later(port, () => abort.abort());
  return new Promise((resolve) => {
    get({ host: '127.0.0.1', port, path, signal: abort.signal, agent: false }, (response) => {
      let text = '';
      response.setEncoding('utf8').on('data', (chunk: string) => {
        text += chunk;
      });
      response.on('end', () => resolve(text)).on('error', () => resolve('aborted'));
    }).on('error', () => resolve('aborted'));
  });
}

/** A connection of our own making, that sends what we say and reads when we say. */
function raw(port: number, text: string): Socket {
  const socket = connect(port, '127.0.0.1');
  socket.on('error', () => undefined);
  later(port, () => socket.destroy());
  socket.pause();
  socket.write(text);
  return socket;
}

const halfUpload = (port: number, path: string) =>
  raw(
    port,
    `POST ${path} HTTP/1.1\r\nhost: x\r\ncontent-type: application/json\r\ncontent-length: 10000\r\n\r\n${'x'.repeat(612)}`,
  );

/** Sends a chunk every now and then, for much longer than the timeout. */
function slowUpload(port: number): Promise<string> {
  return new Promise((resolve) => {
    const request = httpRequest(
      { host: '127.0.0.1', port, path: '/upload', method: 'POST', agent: false },
      (response) => response.resume().on('end', () => resolve('answered')),
    );
    request.on('error', () => resolve('aborted'));
    later(port, () => request.destroy());
    let left = 25;
    const timer = setInterval(() => {
      if (left-- > 0) request.write('chunk');
      else {
        clearInterval(timer);
        request.end();
      }
    }, 100);
    later(port, () => clearInterval(timer));
  });
}

/** Reads a long response bit by bit, for much longer than the timeout; not so slowly that the kernels' buffers show it in leaps. */
function slowDownload(port: number): Promise<string> {
  const socket = raw(port, 'GET /download HTTP/1.1\r\nhost: x\r\nconnection: close\r\n\r\n');
  return new Promise((resolve) => {
    socket.on('close', () => resolve('answered'));
    let left = 160;
    socket.on('data', () => {
      if (left > 0) socket.pause();
    });
    const timer = setInterval(() => {
      if (left-- <= 0) clearInterval(timer);
      socket.resume();
    }, 15);
    later(port, () => clearInterval(timer));
  });
}

const stuckIn = (dump: Dump, path: string): DumpRequest | undefined =>
  dump.kind === 'hang' ? dump.requests.find((one) => one.path === path && one.state === 'stuck') : undefined;

async function stuck(collector: CollectorStub, path: string): Promise<DumpRequest> {
  const dump = await collector.next((each) => stuckIn(each, path) !== undefined);
  const found = stuckIn(dump, path);
  if (found === undefined) throw new Error(`${path} is not in the dump that has it`);
  return found;
}

eachNode(({ path: node }) => {
  afterEach(() => cleanUpAfter(node));

  describe.each(FRAMEWORKS)('%s', (framework) => {
    const isExpress = framework.startsWith('express');
    /** What the last layer of a route is called, and the lines on which its function may stand. */
    const layerOf = (name: string, lines: Started['lines']) =>
      framework === 'http'
        ? { label: 'listener route', line: lines['route']?.[0] }
        : { label: `handler ${name}`, line: isExpress ? lines[name]?.[0] : undefined };

    test('each kind of hang is told from the others', async () => {
      const { collector, port, lines } = await start(node, framework);
      const paths = ['/forgotten', '/finished', '/begun'];
      if (UNSEEN.includes(framework)) paths.push('/rejected');
      if (isExpress || framework === 'fastify') paths.push('/no-next');
      if (BLUEBIRDS.includes(framework)) paths.push('/bluebird', '/coroutine');
      for (const path of paths) void ask(port, path);
      halfUpload(port, '/upload');
      if (isExpress) halfUpload(port, '/json');
      raw(port, 'GET /download HTTP/1.1\r\nhost: x\r\n\r\n');

      const check = (one: DumpRequest, name: string, outcome: string) => {
        const { label, line } = layerOf(name, lines);
        const ended = framework === 'koa' ? 'fulfilled' : outcome;
        expect(one.layer).toMatchObject({ label, file: SERVER, outcome: ended, ...(line && { line }) });
        expect(one.layer?.enteredMs).toBeGreaterThanOrEqual(800);
        expect(one.verdict?.summary).toContain(label);
      };
      const forgotten = await stuck(collector, '/forgotten');
      expect(forgotten.verdict?.evidence).toBe('no-response');
      check(forgotten, 'forgotten', 'returned');
      // A promise of Bluebird's is none of V8's: it is the layer's, and how that ends is not seen.
      for (const name of BLUEBIRDS.includes(framework) ? ['bluebird', 'coroutine'] : []) {
        const { layer, stacks, verdict } = await stuck(collector, `/${name}`);
        const { label, line } = layerOf(name, lines);
        expect(layer).toMatchObject({ label, file: SERVER, ...(line && { line }) });
        expect(layer?.outcome).toBeUndefined();
        expect(stacks).toEqual([]);
        expect(verdict).toMatchObject({ evidence: 'no-progress', summary: expect.stringContaining(label) });
      }
      const finished = await stuck(collector, '/finished');
      expect(finished.verdict).toMatchObject({
        evidence: 'no-response',
        summary: expect.stringMatching(
          framework === 'koa' ? /the chain of middleware ended [\d.]+/ : /\) finished [\d.]+/,
        ),
      });
      check(finished, 'finished', 'fulfilled');
      const begun = await stuck(collector, '/begun');
      expect(begun.verdict).toMatchObject({
        evidence: 'no-response',
        summary: expect.stringContaining('has begun its response and not ended it'),
      });
      if (UNSEEN.includes(framework)) {
        const rejected = await stuck(collector, '/rejected');
        check(rejected, 'rejected', 'rejected');
        expect(rejected.verdict?.evidence).toBe('no-response');
        expect(rejected.error?.class).toBe('NoSuchUser');
        expect(rejected.error?.message).toBeUndefined();
        expect(rejected.error?.frames.slice(0, 2)).toMatchObject([
          { function: 'findUser', file: SERVER, line: (lines['findUser']?.[0] ?? 0) + 1 },
          { function: expect.stringMatching(/rejected$/), file: SERVER },
        ]);
        expect(await ask(port, '/unhandled')).toBe('["NoSuchUser"]');
      }
      if (paths.includes('/no-next')) {
        const unfinished = await stuck(collector, '/no-next');
        const label = `${framework === 'fastify' ? 'preHandler' : 'handler'} authenticate`;
        expect(unfinished.layer).toMatchObject({ label, file: SERVER, outcome: 'returned' });
        expect(lines['authenticate']).toContain(unfinished.layer?.line);
        expect(unfinished.verdict).toMatchObject({
          evidence: 'no-response',
          summary: expect.stringContaining('and nothing was entered after it'),
        });
      }
      for (const path of isExpress ? ['/upload', '/json'] : ['/upload']) {
        const upload = await stuck(collector, path);
        expect(upload.verdict).toMatchObject({
          evidence: 'client-stalled',
          summary: expect.stringContaining('612 of 10,000 bytes of its body have come'),
        });
        expect(upload.waitsFor).toMatchObject([{ type: 'request-body', label: '612 of 10,000 bytes have come' }]);
      }
      const download = await stuck(collector, '/download');
      expect(download.verdict?.evidence).toBe('client-stalled');
      const [wait] = download.waitsFor;
      expect(wait?.type).toBe('client');
      const bytes = Number(/^([\d,]+) bytes/.exec(wait?.label ?? '')?.[1]?.replaceAll(',', ''));
      expect(bytes).toBeGreaterThan(1_000_000);
      expect(bytes).toBeLessThan(16_000_000);
      expect(JSON.stringify(collector.dumps)).not.toContain('secret');
    });

    test('what is slow, and moves, is no hang', async () => {
      const { collector, port } = await start(node, framework);
      const healthy = Promise.all([
        ...['/later', '/emitted', '/piped'].map((path) => ask(port, path)),
        slowUpload(port),
        slowDownload(port),
      ]);
      // A hang that is reported while they go on says that the watchdog is awake.
      void ask(port, '/forgotten');
      await stuck(collector, '/forgotten');
      expect((await healthy).map((text) => (text.startsWith('chunk') ? 'piped' : text))).toEqual([
        'later',
        'emitted',
        'piped',
        'answered',
        'answered',
      ]);
      const found = collector.dumps.flatMap(({ requests }) => requests.filter(({ state }) => state === 'stuck'));
      expect(found.map(({ path }) => path)).toEqual(['/forgotten']);
    });
  });

  test('HTTP/2: uploads that do not arrive and responses that are not read', async () => {
    const { collector, port } = await start(node, 'http2');
    const open = (): ClientHttp2Session => {
      const session = connectHttp2(`http://127.0.0.1:${port}`);
      session.on('error', () => undefined);
      later(port, () => session.destroy());
      return session;
    };
    const session = open();
    const upload = session.request({ ':method': 'POST', ':path': '/upload', 'content-length': '10000' });
    upload.on('error', () => undefined).write('x'.repeat(612));
    const download = session.request({ ':path': '/download' });
    download.on('error', () => undefined).pause();
    // On a connection of its own: a server stops reading one whose client does not read.
    open()
      .request({ ':path': '/finished' })
      .on('error', () => undefined);
    expect(await stuck(collector, '/upload')).toMatchObject({
      verdict: { evidence: 'client-stalled', summary: expect.stringContaining('612 of 10,000 bytes') },
    });
    expect(await stuck(collector, '/download')).toMatchObject({
      verdict: {
        evidence: 'client-stalled',
        summary: expect.stringMatching(/waits for its client to read: .* up to [\d,]+ bytes/),
      },
    });
    expect(await stuck(collector, '/finished')).toMatchObject({
      verdict: { evidence: 'no-response' },
      layer: { label: 'listener route', outcome: 'fulfilled' },
    });
  });

  test('what callback code waits for, on routes where that is noted, from the moment that they are told so', async () => {
    const { collector, port, lines } = await start(node, 'http', { timeout: 300 });
    void ask(port, '/timer');
    const before = await stuck(collector, '/timer');
    expect(before.pending).toBeUndefined();
    expect(await ask(port, '/note')).toBe('noted');
    for (const path of ['/timer', '/file', '/nested', '/client', '/child', '/emitter']) void ask(port, path);
    const noted = (path: string) =>
      collector.next((dump) =>
        dump.requests.some((one) => one.path === path && one.pending !== undefined && one.id !== before.id),
      );
    const pendingOf = async (path: string) =>
      (await noted(path)).requests.find((one) => one.path === path && one.id !== before.id)?.pending;
    expect(await pendingOf('/timer')).toEqual([
      {
        type: 'Timeout',
        count: 3,
        function: expect.stringMatching(/timer$/),
        file: SERVER,
        line: lines['timer']?.[0],
        column: expect.any(Number),
      },
    ]);
    const madeIn = (type: string, name: string, mark: string) => ({
      type,
      function: expect.stringMatching(new RegExp(`${name}$`)),
      file: SERVER,
      line: lines[mark]?.[0],
      column: expect.any(Number),
    });
    expect(await pendingOf('/file')).toEqual([madeIn('FSREQCALLBACK', 'file', 'file')]);
    expect(await pendingOf('/nested')).toEqual([madeIn('FSREQCALLBACK', 'step', 'nested')]);
    expect(await pendingOf('/client')).toContainEqual(madeIn('TCPWRAP', 'client', 'client'));
    expect(await pendingOf('/child')).toContainEqual(madeIn('PROCESSWRAP', 'child', 'child'));
    // Nothing asynchronous is made by a listener: of this hang the layer is all there is.
    expect(await pendingOf('/emitter')).toEqual([]);
    // Of the whole process. (Of `readFile` Node 26 lists nothing.)
    const { resources } = await noted('/child');
    expect(resources).toMatchObject({ ProcessWrap: 1, TCPServerWrap: 1 });
  });

  test('a promise that V8 cannot look behind: the next request of the route tells where it was made', async () => {
    const { collector, port, lines } = await start(node, 'express4', { timeout: 300 });
    const twice = async (path: string) => {
      void ask(port, path);
      const first = await stuck(collector, path);
      void ask(port, path);
      const isSecond = (one: DumpRequest) => one.path === path && one.id !== first.id && one.state === 'stuck';
      const { requests } = await collector.next((dump) => dump.requests.some(isSecond));
      return { first, second: requests.find(isSecond) };
    };
    const [promised, downlevelled] = await Promise.all([twice('/promised'), twice('/downlevelled')]);
    expect(promised.first).toMatchObject({ stacks: [], notesPromises: true, layer: { outcome: 'pending' } });
    expect(promised.first.verdict?.summary).toContain('returned a promise');
    expect(promised.second?.awaits?.[0]).toMatchObject({ created: true, own: true });
    expect(promised.second?.stacks[0]?.[0]).toMatchObject({
      file: SERVER,
      line: lines['promised']?.[0],
      async: false,
    });
    // What runs beside it can be walked, and is not what it waits for.
    expect(downlevelled.first).toMatchObject({ notesPromises: true, awaits: [{ own: false }] });
    expect(downlevelled.first.stacks).toMatchObject([[{ file: SERVER, line: lines['beside']?.[0] }]]);
    expect(downlevelled.second?.notesPromises).toBeUndefined();
    expect(downlevelled.second?.awaits?.slice(0, 2)).toMatchObject([{ created: true, own: true }, { own: false }]);
    const made = downlevelled.second?.stacks.map((stack) =>
      stack.filter((frame) => !frame.function?.endsWith('__async')).slice(0, 1),
    );
    const emitted = DOWNLEVELLED.split('\n');
    // A function's promise is made by the line that is its body.
    const madeIn = (name: string) => [
      {
        function: name,
        file: SERVER.replace('kinds.mjs', 'downlevelled.cjs'),
        line: emitted.findIndex((line) => line.includes(`function ${name}(`)) + 2,
      },
    ];
    expect(made?.[0]).toMatchObject(madeIn('outer'));
    expect(made?.slice(2)).toMatchObject([expect.anything(), madeIn('inner')]);
  });

  test('a livelock is told with the places at which it is seen', async () => {
    const { collector, port, lines } = await start(node, 'http', { maxDuration: 4_000 });
    void ask(port, '/livelock');
    const { verdict, seenAt } = await stuck(collector, '/livelock');
    expect(verdict?.evidence).toBe('slow');
    const seen = seenAt?.map(({ frame }) => frame.line) ?? [];
    expect(seen.sort()).toEqual([lines['lookUp']?.[0], lines['backOff']?.[0]]);
    expect(verdict?.summary).toMatch(/seen (by turns )?in livelock \(.*kinds\.mjs:\d+:\d+\) and livelock/);
  });

  test('a request that moves on and hangs elsewhere, or was slow and stops, is reported again; its end is told once', async () => {
    const { collector, port, lines } = await start(node, 'http', { maxDuration: 2_000 });
    const reports = (path: string) => collector.dumps.filter((dump) => stuckIn(dump, path) !== undefined);
    void ask(port, '/twice');
    const first = await collector.next((dump) => stuckIn(dump, '/twice')?.stacks[0]?.[0]?.line === lines['first']?.[0]);
    void ask(port, '/slow-then-still');
    const slow = await collector.next((dump) => stuckIn(dump, '/slow-then-still')?.verdict?.evidence === 'slow');
    await ask(port, '/release');
    const second = await collector.next(
      (dump) => stuckIn(dump, '/twice')?.stacks[0]?.[0]?.line === lines['second']?.[0],
    );
    const still = await collector.next(
      (dump) => stuckIn(dump, '/slow-then-still')?.stacks[0]?.[0]?.line === lines['still']?.[0],
    );
    expect(stuckIn(still, '/slow-then-still')?.verdict?.evidence).toBe('no-progress');
    for (const [again, before] of [
      [second, first],
      [still, slow],
    ] as const) {
      // Both may be in one dump, which then follows neither.
      if (again.requests.filter(({ state }) => state === 'stuck').length === 1) expect(again.follows).toBe(before.id);
    }
    await ask(port, '/release');
    const ended = (path: string) => (dump: Dump) =>
      dump.kind === 'recovered' && dump.requests.some((one) => one.path === path);
    expect((await collector.next(ended('/twice'))).follows).toBe(second.id);
    expect((await collector.next(ended('/slow-then-still'))).follows).toBe(still.id);
    expect(reports('/twice')).toHaveLength(2);
    expect(reports('/slow-then-still')).toHaveLength(2);
  });

  test('the message of an error comes where the application asks for it', async () => {
    const { collector, port } = await start(node, 'express4', { errorMessages: true });
    void ask(port, '/rejected');
    const { error, verdict } = await stuck(collector, '/rejected');
    expect(error?.message).toBe('secret 4711');
    expect(verdict?.summary).toContain('NoSuchUser "secret 4711"');
  });
});

import { get } from 'node:http';
import { connect } from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import type { Dump } from '@hangwatch/protocol';
import { CollectorStub, nodeBinaries, Scenario } from '@hangwatch/test-utils';
import { afterEach, describe, expect, test } from 'vitest';

const SERVER = fileURLToPath(new URL('../scenarios/e2e/cut-off.mjs', import.meta.url));
const binaries = nodeBinaries();
let collector: CollectorStub;
let scenario: Scenario;
let port: number;
let uploadPort: number;

async function start(name: string, node: string | undefined, timeout = '1500'): Promise<void> {
  collector = await CollectorStub.start();
  scenario = new Scenario(SERVER, { node, args: [name, timeout], env: { HANGWATCH_COLLECTOR: collector.url } });
  ({ port, uploadPort } = await scenario.until(({ stdout }) =>
    stdout.includes('\n') ? (JSON.parse(stdout) as { port: number; uploadPort: number }) : undefined,
  ));
}

afterEach(async () => {
  await scenario?.stop();
  await collector?.close();
  expect(collector?.refused).toEqual([]);
});

const problems = async () =>
  (await (await fetch(`http://127.0.0.1:${port}/problems`, { headers: { connection: 'close' } })).json()) as [
    string,
    string,
  ][];

/** Sends a request, and leaves after a while where asked to. Resolves with the status, or why there is none. */
function ask(path: string, leaveAfterMs?: number): Promise<number | string> {
  return new Promise((resolve) => {
    const request = get({ host: '127.0.0.1', port, path, agent: false }, (response) => {
      response.resume().on('error', () => undefined);
      response.on('close', () => resolve(response.statusCode ?? 0));
    });
    request.on('error', (error: NodeJS.ErrnoException) => resolve(error.code ?? 'error'));
    if (leaveAfterMs !== undefined) setTimeout(() => request.destroy(), leaveAfterMs);
  });
}

/** Sends a part of a body, and no more. Again and again, until there is a report. */
async function cutOffUpload(): Promise<Dump> {
  const isUpload = (dump: Dump) => dump.kind === 'gone' && dump.requests[0]?.path === '/upload';
  for (;;) {
    const socket = connect(uploadPort, '127.0.0.1');
    socket.on('error', () => undefined).resume();
    socket.write('POST /upload HTTP/1.1\r\nhost: localhost\r\ncontent-length: 10\r\n\r\nsome');
    await new Promise((resolve) => socket.once('close', resolve));
    if (await Promise.race([collector.next(isUpload).then(() => true), sleep(500, false)]))
      return collector.next(isUpload);
  }
}

/** The watchdog starts with the first request, and on a busy machine takes its time: asks until there is a report. */
async function cutOff(path: string, leaveAfterMs?: number): Promise<{ gone: Dump; answer: number | string }> {
  // Whoever starts posts as well how processes before it have died.
  const earlier = new Set(collector.dumps);
  const isNew = (dump: Dump) => dump.kind === 'gone' && !earlier.has(dump) && dump.requests[0]?.path !== '/upload';
  for (;;) {
    const answer = await ask(path, leaveAfterMs);
    if (await Promise.race([collector.next(isNew).then(() => true), sleep(500, false)])) {
      return { gone: await collector.next(isNew), answer };
    }
  }
}

describe.each(binaries)('a plain server on Node $version', ({ path: node }) => {
  test('server.timeout and server.requestTimeout are told at the first request, and what they cut off has left where it stood', async () => {
    await start('serverTimeouts', node);
    // Of an upload that is not whole: on a server of its own, where nothing else strikes.
    const upload = cutOffUpload();
    const { gone, answer } = await cutOff('/hang');
    const late = await upload;
    expect(late.requests[0]).toMatchObject({ method: 'POST', route: '/upload', state: 'stuck' });
    expect(late.verdict.evidence).toBe('client-stalled');
    expect(late.verdict.summary).toMatch(
      /^POST \/upload was left by its client, or cut off by server\.requestTimeout \(1100 ms\) after .*4 of 10 bytes/,
    );
    expect(late.requests[0]?.stacks.flat().map((frame) => frame.function)).toContain('receive');
    expect(answer).toBe('ECONNRESET');
    expect(gone.kind).toBe('gone');
    expect(gone.follows).toBeUndefined();
    expect(gone.verdict).toMatchObject({ evidence: 'no-progress' });
    expect(gone.verdict.summary).toMatch(
      /^GET \/hang was left by its client, or cut off by server\.timeout \(1100 ms\) after [\d.]+ m?s, before its timeout of 1\.5 s; it has made no progress for .*: suspended in query /,
    );
    expect(gone.requests[0]).toMatchObject({
      state: 'stuck',
      stacks: [[{ function: 'query' }, { function: 'answer' }]],
    });
    // What came before it is there as well, and how it ended.
    const past = gone.recorder?.entries.filter(({ request }) => request === gone.requests[0]?.id) ?? [];
    expect(past.map(({ type }) => type)).toEqual(['started', 'left']);
    expect((await problems()).map(([code, message]) => `${code} ${message.split(' ', 3).join(' ')}`).sort()).toEqual([
      'HANGWATCH_ERR_TIMEOUT_ORDER server.requestTimeout is 1100',
      'HANGWATCH_ERR_TIMEOUT_ORDER server.timeout is 1100',
    ]);
  });

  test('a client that leaves early, or has read all the while, is nothing to report', async () => {
    await start('plain', node);
    await Promise.all([ask('/early', 300), ask('/download', 1_300)]);
    const { gone } = await cutOff('/hang', 1_200);
    expect(gone.kind).toBe('gone');
    expect(gone.verdict.summary).toContain('was left by its client, or cut off on the way after ');
    const told = collector.dumps.flatMap(({ requests }) => requests.filter(({ state }) => state === 'stuck'));
    expect(new Set(told.map(({ path }) => path))).toEqual(new Set(['/hang']));
    expect(await problems()).toEqual([]);
  });
});

test('hangwatch is closed while a request stands still that is answered later: nothing is said of it, and what is suppressed is counted', async () => {
  await start('closing', binaries[0]?.path);
  const { gone } = await cutOff('/hang', 1_200);
  expect(gone.requests[0]?.path).toBe('/hang');
  const before = collector.dumps.length;
  const slow = ask('/slow');
  // It is far past half its timeout of 1.5 s, and is not stuck yet. Nor are these, of which there is not the time to look at each.
  const many = Array.from({ length: 10 }, () => ask('/hang', 950));
  await Promise.all([sleep(1_000), ...many]);
  expect(await ask('/close')).toBe(200);
  expect(await slow).toBe(200);
  expect((await scenario.ended).code).toBe(0);
  const since = collector.dumps.slice(before);
  const reported = since.filter(({ kind }) => kind === 'gone').length;
  expect(reported).toBeLessThan(many.length);
  // One more, where the report of an earlier try has come late.
  const counted = since.reduce((sum, { suppressed }) => sum + suppressed.requests, reported);
  expect(counted).toBeGreaterThanOrEqual(many.length);
  expect(counted).toBeLessThanOrEqual(many.length + 1);
  const told = collector.dumps.filter(({ kind }) => kind === 'gone').map(({ requests }) => requests[0]?.path);
  expect(new Set(told)).toEqual(new Set(['/hang']));
});

test.each(['gateway', 'koaGateway'])('%s: a handler that answers 503 or 504 itself has ended', async (name) => {
  await start(name, binaries[0]?.path);
  await cutOff('/hang', 1_200);
  expect(await Promise.all([ask('/raced'), ask('/moving')])).toEqual([504, 503]);
  // Whatever was to be said of them has been said before this.
  await cutOff('/hang', 1_200);
  const gone = collector.dumps.filter(({ kind }) => kind === 'gone').map(({ requests }) => requests[0]?.path);
  expect(new Set(gone)).toEqual(new Set(['/hang']));
  // Nor is it anybody's time-out.
  expect(await problems()).toEqual([]);
});

const STRUCK =
  /^connect-timeout has ended a request after about \d+ ms, while its handler was still waiting, before hangwatch could report it as stuck \(timeout 1500 ms\): set hangwatch's timeout to \d+ or less, or the other to more than 1563$/;
describe.each([
  ['express4', 503, 'was answered 503 by connect-timeout while its handler was still waiting', STRUCK],
  ['express5', 503, 'was answered 503 by connect-timeout while its handler was still waiting', STRUCK],
  [
    'koa',
    408,
    'was answered 408 while its handler was still waiting',
    /^a time-out that answers 408 has ended a request after about \d+ ms, /,
  ],
  ['fastifyConnection', 'ECONNRESET', 'cut off by server.timeout (1100 ms)', /^server\.timeout is 1100 ms /],
  // This one is known beforehand, and not said again when it strikes.
  ['fastify', 503, 'was answered 503 while its handler was still waiting', /^Fastify's handlerTimeout is 1100 ms /],
])('%s with a time-out of its own', (name, status, how, said) => {
  test('answers in the place of a handler: where that stands is told', async () => {
    await start(name, binaries[0]?.path);
    const { gone, answer } = await cutOff('/hang');
    expect(answer).toBe(status);
    expect(gone.kind).toBe('gone');
    expect(gone.verdict.summary).toContain(how);
    expect(gone.requests[0]?.stacks.flat().map((frame) => frame.function)).toEqual(
      expect.arrayContaining(['query', 'hangs']),
    );
    await cutOff('/hang');
    expect(await problems()).toEqual([['HANGWATCH_ERR_TIMEOUT_ORDER', expect.stringMatching(said)]]);
  });
});

test.each([
  [
    'express5',
    /^connect-timeout has ended a request after about \d+ ms, .* \(timeout 60000 ms\): set hangwatch's timeout to \d+ or less/,
  ],
  ['koa', /^a time-out that answers 408 has ended a request after about \d+ ms, .* \(timeout 60000 ms\): /],
])('%s: a time-out that strikes long before half of hangwatch’s is said, too', async (name, said) => {
  await start(name, binaries[0]?.path, '60000');
  for (;;) {
    await ask('/hang');
    const found = await problems();
    // The clock of the first request of all may not tick yet.
    if (found.length === 0) continue;
    expect(found).toEqual([['HANGWATCH_ERR_TIMEOUT_ORDER', expect.stringMatching(said)]]);
    break;
  }
  expect(collector.dumps.filter(({ kind, process }) => kind === 'gone' && process.pid === scenario.child.pid)).toEqual(
    [],
  );
});

import http2 from 'node:http2';
import { connect } from 'node:net';
import { Duplex } from 'node:stream';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { ContractServer, type State } from '../contract/contract-server.ts';
import { exchange } from '../contract/exchange.ts';
import { FRAMEWORKS } from '../contract/frameworks.ts';
import { type Random, seededRandom } from './seeded-random.ts';

const SEED = Number(process.env['FUZZ_SEED'] ?? 20_260_101);
const REQUESTS = 150;
const AT_ONCE = 15;
console.log(`fuzz: seed ${SEED} (FUZZ_SEED)`);

const HOST = '127.0.0.1';
const METHODS = ['GET', 'HEAD', 'POST', 'PUT', 'DELETE', 'OPTIONS', 'PATCH', 'PROPFIND', 'QUERY', 'get', 'BREW', ''];
/** Routes whose answers don't depend on when they are asked. */
const PATHS = [
  '/ok',
  '/json',
  '/throw',
  '/stream',
  '/als',
  '/lost',
  '/leave',
  '/api/tenants/7/layers',
  '/upload',
  '/body',
];
const PIECES = [
  '/',
  '//',
  '.',
  '..',
  '%',
  '%00',
  '%2e%2e',
  '%F0%9F',
  '?',
  '#',
  '&a=1',
  ':',
  '@',
  '*',
  '~',
  ' ',
  '\u00ff',
  '__proto__',
  'x'.repeat(300),
];
const HEADERS = [
  'accept-encoding: gzip',
  'connection: keep-alive',
  'cookie: a=1; b',
  'content-type: application/json',
  'content-type: ;;',
  'expect: 100-continue',
  'expect: nonsense',
  'x-request-id: 1\tb',
  'traceparent: 00-zz-zz-01',
  'traceparent: 00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01',
  'content-length: 5',
  'content-length: -1',
  'transfer-encoding: chunked',
  'upgrade: h2c',
  '__proto__: x',
  'x-empty:',
  'bad header',
  `x-long: ${'y'.repeat(2_000)}`,
];
const BODIES = ['', 'hello', '{"a":1}', '{"a":', '5\r\nhello\r\n0\r\n\r\n', '\u0000\u0001', 'z'.repeat(5_000)];

function anyPath(random: Random): string {
  if (random.chance(0.5)) return random.pick(PATHS);
  return (
    `${random.chance(0.5) ? '/' : ''}${Array.from({ length: random.below(5) }, () => random.pick(PIECES)).join('')}` ||
    '/'
  );
}

function anyHttp1(random: Random): string {
  const headers = Array.from({ length: random.below(5) }, () => random.pick(HEADERS));
  const host = random.chance(0.9) ? ['host: localhost'] : [];
  const version = random.pick(['HTTP/1.1', 'HTTP/1.1', 'HTTP/1.1', 'HTTP/1.0', 'HTTP/9']);
  const head = [`${random.pick(METHODS)} ${anyPath(random)} ${version}`, ...host, ...headers, 'connection: close'];
  return `${head.join('\r\n')}\r\n\r\n${random.pick(BODIES)}`;
}

/** What comes back, but for the time of day. An answer that never ends is cut off on both sides. */
function answer(port: number, text: string): Promise<string> {
  return new Promise((resolve) => {
    let all = '';
    const socket = connect(port, HOST, () => socket.end(text, 'latin1'));
    socket.setEncoding('latin1').on('data', (chunk: string) => {
      all += chunk;
    });
    socket.on('error', () => undefined);
    socket.on('close', () => resolve(all.replaceAll(/^date: .*\r\n/gim, '')));
  });
}

/** Sends some bytes and is gone. */
function abandon(port: number, bytes: Buffer): Promise<void> {
  return new Promise((resolve) => {
    const socket = connect(port, HOST, () => socket.write(bytes, () => socket.destroy()));
    socket.on('error', () => undefined);
    socket.on('close', () => resolve());
  });
}

/** The bytes that a client of HTTP/2 sends for an upload. */
async function http2Bytes(): Promise<Buffer> {
  const chunks: Buffer[] = [];
  const wire = new Duplex({
    read: () => undefined,
    write(chunk: Buffer, _encoding, done) {
      chunks.push(chunk);
      done();
    },
  });
  const session = http2.connect(`http://${HOST}`, { createConnection: () => wire });
  session.on('error', () => undefined);
  const stream = session.request({ ':method': 'POST', ':path': '/upload', 'content-type': 'text/plain', 'x-a': 'b' });
  stream.on('error', () => undefined);
  await new Promise<void>((resolve) => stream.end('some bytes of a body', () => resolve()));
  await new Promise((resolve) => setImmediate(resolve));
  session.destroy();
  return Buffer.concat(chunks);
}

const uploadBytes = async (scheme: string): Promise<Buffer> =>
  scheme === 'http2'
    ? http2Bytes()
    : Buffer.from(
        'POST /upload HTTP/1.1\r\nhost: localhost\r\ncontent-type: application/octet-stream\r\ncontent-length: 20\r\n\r\nsome bytes of a body',
      );

async function inBatches<T>(items: readonly T[], work: (item: T) => Promise<unknown>): Promise<void> {
  for (let i = 0; i < items.length; i += AT_ONCE) await Promise.all(items.slice(i, i + AT_ONCE).map(work));
}

const idle = (state: State) => state.inFlight === 0 && state.records.length === 0;
const plainText = FRAMEWORKS.filter(({ scheme }) => scheme !== 'https');

describe.each(plainText)('$name', ({ name, scheme }) => {
  let on: ContractServer;
  let off: ContractServer;
  beforeAll(async () => {
    [on, off] = await Promise.all([ContractServer.start(name, true), ContractServer.start(name, false)]);
  });
  afterAll(async () => {
    await Promise.all([on?.kill(), off?.kill()]);
  });

  test.skipIf(scheme === 'http2')('fuzzed requests are answered as without hangwatch', async () => {
    const random = seededRandom(SEED);
    const texts = Array.from({ length: REQUESTS }, () => anyHttp1(random));
    let answered = 0;
    await inBatches(texts, async (text) => {
      const [watched, plain] = await Promise.all([answer(on.port, text), answer(off.port, text)]);
      if (plain !== '') answered += 1;
      expect({ text, answer: watched }).toEqual({ text, answer: plain });
    });
    expect(answered).toBeGreaterThan(REQUESTS / 2);
  });

  test('a request aborted at every byte leaves no slot behind', async () => {
    const { entered: before } = await on.state();
    const bytes = await uploadBytes(scheme);
    expect(bytes.length).toBeGreaterThan(60);
    await inBatches(
      Array.from({ length: bytes.length }, (_, i) => i + 1),
      (end) => abandon(on.port, bytes.subarray(0, end)),
    );
    const { entered, inFlight, taken, enabled } = await on.until((state) => idle(state) && state.entered > before);
    expect({ inFlight, taken, enabled }).toEqual({ inFlight: 0, taken: 0, enabled: true });
    // The client is gone before it has seen that anything arrived: those that got as far as a request are counted.
    expect(entered).toBeGreaterThan(before);
  });

  test('and it serves as before: no throw, no rejection, no slot lost', async () => {
    const [watched, plain] = await Promise.all([
      exchange(scheme, on.port, { path: '/ok' }),
      exchange(scheme, off.port, { path: '/ok' }),
    ]);
    expect(watched).toEqual(plain);
    const state = await on.until(idle);
    expect(state).toMatchObject({ inFlight: 0, taken: 0 });
    const own = state.unhandled.filter((each) => /hangwatch|#record|TypeError/.test(each));
    expect(own).toEqual([]);
  });
});

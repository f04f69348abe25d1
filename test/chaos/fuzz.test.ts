import http2 from 'node:http2';
import { connect, type Socket } from 'node:net';
import { Duplex } from 'node:stream';
import { connect as connectTls } from 'node:tls';
import { isDeepStrictEqual } from 'node:util';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { ContractServer, type State } from '../contract/contract-server.ts';
import { exchange, type Scheme } from '../contract/exchange.ts';
import { FRAMEWORKS } from '../contract/frameworks.ts';
import { type Random, seededRandom } from './seeded-random.ts';

const SEED = Number(process.env['FUZZ_SEED'] ?? 20_260_101);
const REQUESTS = 150;
/** Over what else a framework speaks: the framework itself is the same. */
const FURTHER_REQUESTS = 60;
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

type Http1 = 'http' | 'https';

const open = (scheme: Http1, port: number): Socket =>
  scheme === 'http' ? connect(port, HOST) : connectTls({ port, host: HOST, rejectUnauthorized: false });
const opened = (scheme: Http1) => (scheme === 'http' ? 'connect' : 'secureConnect');

/** What comes back, but for the time of day. An answer that never ends is cut off on both sides. */
function answer(scheme: Http1, port: number, text: string): Promise<string> {
  return new Promise((resolve) => {
    let all = '';
    const socket = open(scheme, port).once(opened(scheme), () => socket.end(text, 'latin1'));
    socket.setEncoding('latin1').on('data', (chunk: string) => {
      all += chunk;
    });
    socket.on('error', () => undefined);
    socket.on('close', () => resolve(all.replaceAll(/^date: .*\r\n/gim, '')));
  });
}

/** Sends some bytes and is gone. */
function abandon(scheme: Http1, port: number, bytes: Buffer): Promise<void> {
  return new Promise((resolve) => {
    const socket = open(scheme, port).once(opened(scheme), () => socket.write(bytes, () => socket.destroy()));
    socket.on('error', () => undefined);
    socket.on('close', () => resolve());
  });
}

interface Http2Sent {
  readonly headers: http2.OutgoingHttpHeaders;
  readonly body: string;
}

/** What a client of HTTP/2 can say: Node's own refuses to send what is no header at all. */
function anyHttp2(random: Random): Http2Sent {
  const fields = Array.from({ length: random.below(5) }, () => random.pick(HEADERS)).filter(isHttp2Header);
  return {
    headers: {
      ...Object.fromEntries(fields.map((field) => field.split(/: ?/, 2))),
      ':method': random.pick(METHODS) || 'GET',
      ':path': anyPath(random).replaceAll(/[^!-~]/g, '%20'),
      ...(random.chance(0.1) ? { ':authority': '' } : {}),
    },
    body: random.pick(BODIES),
  };
}

const isHttp2Header = (field: string): boolean =>
  /^[a-z_-]+: ?[!-~ ]*$/.test(field) && !/^(connection|transfer-encoding|upgrade|content-length|expect)/.test(field);

/** How long an answer over HTTP/2 is waited for: some have no end, with hangwatch or without, such as a stream in answer to HEAD. */
const LONGEST_MS = 500;

/** What comes back, or why nothing does. */
function answerHttp2(session: http2.ClientHttp2Session, { headers, body }: Http2Sent): Promise<unknown> {
  return new Promise((resolve) => {
    const stream = session.request(headers);
    let head: unknown;
    let text = '';
    stream.on('response', ({ date: _, ...others }) => {
      head = others;
    });
    stream.setEncoding('latin1').on('data', (chunk: string) => {
      text += chunk;
    });
    stream.on('error', () => undefined);
    const limit = setTimeout(() => stream.close(http2.constants.NGHTTP2_CANCEL), LONGEST_MS);
    stream.on('end', () => stream.close());
    stream.on('close', () => {
      clearTimeout(limit);
      resolve({ head, text, code: stream.rstCode });
    });
    stream.end(body);
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

/** Asks both until they say the same: a connection that is reset loses what was on its way, and a busy machine is late. What differs by design does so each time. */
async function same<T>(ask: () => Promise<readonly T[]>): Promise<readonly T[]> {
  let answers = await ask();
  for (let left = 4; left > 0 && !isDeepStrictEqual(answers[0], answers[1]); left--) answers = await ask();
  return answers;
}

const idle = (state: State) => state.inFlight === 0 && state.records.length === 0;
const settled = ({ inFlight, taken }: State) => ({ inFlight, taken });

/** What each framework is asked over besides HTTP/1: Express does not speak HTTP/2. */
const further = (name: string): readonly Scheme[] =>
  /^(fastify|koa)/.test(name) ? ['https', 'http2'] : name.startsWith('express') ? ['https'] : [];

describe.each(FRAMEWORKS)('$name', ({ name, scheme: first }) => {
  let on: ContractServer;
  let off: ContractServer;
  beforeAll(async () => {
    const start = (watched: boolean) => ContractServer.start(name, watched, {}, further(name));
    [on, off] = await Promise.all([start(true), start(false)]);
  });
  afterAll(async () => {
    await Promise.all([on?.kill(), off?.kill()]);
  });
  const portOf = (server: ContractServer, scheme: Scheme) => server.ports[scheme] ?? server.port;

  describe.each([first, ...further(name)])('over %s', (scheme) => {
    test('fuzzed requests are answered as without hangwatch', async () => {
      const ports = [portOf(on, scheme), portOf(off, scheme)] as const;
      const random = seededRandom(SEED);
      const count = scheme === first ? REQUESTS : FURTHER_REQUESTS;
      let answered = 0;
      if (scheme === 'http2') {
        const sessions = ports.map((port) => http2.connect(`http://${HOST}:${port}`).on('error', () => undefined));
        await inBatches(
          Array.from({ length: count }, () => anyHttp2(random)),
          async (sent) => {
            const [watched, plain] = await same(() =>
              Promise.all(sessions.map((session) => answerHttp2(session, sent))),
            );
            if (JSON.stringify(plain).includes(':status')) answered += 1;
            expect({ sent, answer: watched }).toEqual({ sent, answer: plain });
          },
        );
        for (const session of sessions) session.destroy();
      } else {
        await inBatches(
          Array.from({ length: count }, () => anyHttp1(random)),
          async (text) => {
            const [watched, plain] = await same(() => Promise.all(ports.map((port) => answer(scheme, port, text))));
            if (plain !== '') answered += 1;
            expect({ text, answer: watched }).toEqual({ text, answer: plain });
          },
        );
      }
      expect(answered).toBeGreaterThan(count / 2);
      expect(settled(await on.until(idle))).toEqual({ inFlight: 0, taken: 0 });
    });

    test('a request aborted at every byte leaves no slot behind', async () => {
      const { entered: before } = await on.state();
      const bytes = await uploadBytes(scheme);
      expect(bytes.length).toBeGreaterThan(60);
      const port = portOf(on, scheme);
      await inBatches(
        Array.from({ length: bytes.length }, (_, i) => i + 1),
        (end) => abandon(scheme === 'https' ? 'https' : 'http', port, bytes.subarray(0, end)),
      );
      const state = await on.until((now) => idle(now) && now.entered > before);
      expect({ enabled: state.enabled, ...settled(state) }).toEqual({ enabled: true, inFlight: 0, taken: 0 });
      // The client is gone before it has seen that anything arrived: those that got as far as a request are counted.
      expect(state.entered).toBeGreaterThan(before);
    });

    test('and it serves as before: no throw, no rejection, no slot lost', async () => {
      const [watched, plain] = await Promise.all([
        exchange(scheme, portOf(on, scheme), { path: '/ok' }),
        exchange(scheme, portOf(off, scheme), { path: '/ok' }),
      ]);
      expect(watched).toEqual(plain);
      const state = await on.until(idle);
      expect(state).toMatchObject({ inFlight: 0, taken: 0 });
      const own = state.unhandled.filter((each) => /hangwatch|#record|TypeError/.test(each));
      expect(own).toEqual([]);
    });
  });
});

import { createServer, type Server } from 'node:http';
import { type AddressInfo, connect, type LookupFunction } from 'node:net';
import { createServer as createTlsServer } from 'node:tls';
import { getGlobalDispatcher, MockAgent, setGlobalDispatcher } from 'undici';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { systemClock } from './clock.ts';
import { HttpPost } from './http-post.ts';
import { proxiesOf } from './load-undici.ts';
import { packDump } from './parcel.ts';
import { CERTIFICATE } from './testing/certificate.ts';
import { FakeCollector } from './testing/fake-collector.ts';
import { makeDump } from './testing/make-dump.ts';

const body = packDump(makeDump('a')).gzip;
let collector: FakeCollector;
let posts: HttpPost[];
let lookedUp: string[];

beforeEach(async () => {
  collector = await new FakeCollector().listen();
  posts = [];
  lookedUp = [];
  for (const name of ['HTTP_PROXY', 'http_proxy', 'HTTPS_PROXY', 'https_proxy', 'NO_PROXY', 'no_proxy']) {
    vi.stubEnv(name, undefined);
  }
});
afterEach(async () => {
  vi.unstubAllEnvs();
  for (const http of posts) http.close();
  await collector.close();
});

/** Every name is 127.0.0.1. */
const lookup: LookupFunction = (host, options, callback) => {
  lookedUp.push(host);
  if (options.all) callback(null, [{ address: '127.0.0.1', family: 4 }]);
  else callback(null, '127.0.0.1', 4);
};

function post(url: string, limitMs = 5_000) {
  const http = new HttpPost({ clock: systemClock, lookup, proxied: proxiesOf(process.env) !== undefined });
  posts.push(http);
  return http.post({ url: new URL(url), headers: {}, body, limitMs });
}

const portOf = (server: { address(): unknown }) => (server.address() as AddressInfo).port;
const nameless = (url: string) => url.replace('127.0.0.1', 'collector.test');

describe('HttpPost', () => {
  it('connects to what the lookup says, and sends the name as Host', async () => {
    expect(await post(nameless(`${collector.url}/v1/dumps?x=1`))).toEqual({ kind: 'acknowledged', status: 202 });
    expect(lookedUp).toEqual(['collector.test']);
    expect(collector.received[0]).toMatchObject({
      url: '/v1/dumps?x=1',
      headers: { host: expect.stringMatching(/^collector\.test:/) },
    });
  });

  it('does not use the global dispatcher', async () => {
    const before = getGlobalDispatcher();
    const mock = new MockAgent();
    mock.disableNetConnect();
    setGlobalDispatcher(mock);
    try {
      expect((await post(`${collector.url}/v1/dumps`)).kind).toBe('acknowledged');
    } finally {
      setGlobalDispatcher(before);
    }
  });

  it('names the cause of a failed connection', async () => {
    await collector.close();
    expect(await post(nameless(collector.url))).toEqual({
      kind: 'failed',
      status: undefined,
      reason: expect.stringContaining('ECONNREFUSED'),
    });
  });

  it('gives up in time', async () => {
    collector.answer = () => undefined;
    const start = performance.now();
    expect(await post(collector.url, 200)).toMatchObject({ kind: 'failed', reason: 'no answer in 200 ms' });
    expect(performance.now() - start).toBeLessThan(1_000);
  });

  it('ends what is under way when it is closed, and posts no more', async () => {
    collector.answer = () => undefined;
    const pending = post(collector.url);
    await collector.requests(1);
    posts[0]?.close();
    expect(await pending).toMatchObject({ kind: 'failed', reason: 'closing' });
    expect(await posts[0]?.post({ url: new URL(collector.url), headers: {}, body, limitMs: 100 })).toMatchObject({
      kind: 'failed',
    });
  });

  it('asks for the certificate of the name, not of the address, and does not trust any', async () => {
    let servername: string | undefined;
    const server = createTlsServer({
      ...CERTIFICATE,
      SNICallback(name, callback) {
        servername = name;
        callback(null);
      },
    });
    server.on('tlsClientError', () => undefined);
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    const outcome = await post(`https://collector.localhost:${portOf(server)}/v1/dumps`);
    expect(outcome).toMatchObject({ kind: 'failed', reason: expect.stringMatching(/self.signed/i) });
    expect(servername).toBe('collector.localhost');
    server.close();
  });
});

describe('with a proxy', () => {
  let proxy: Server;
  let tunnels: { to: string | undefined; authorization: string | undefined }[];

  beforeEach(async () => {
    tunnels = [];
    proxy = createServer();
    proxy.on('connect', (request, socket) => {
      tunnels.push({ to: request.url, authorization: request.headers['proxy-authorization'] });
      const onward = connect(Number(request.url?.split(':')[1]), '127.0.0.1', () => {
        socket.write('HTTP/1.1 200 OK\r\n\r\n');
        onward.pipe(socket).pipe(onward);
      });
      onward.on('error', () => socket.destroy());
      socket.on('error', () => onward.destroy());
    });
    await new Promise<void>((resolve) => proxy.listen(0, '127.0.0.1', resolve));
  });
  afterEach(() => {
    proxy.closeAllConnections();
    proxy.close();
  });

  it.each(['HTTP_PROXY', 'http_proxy'])('goes through %s, whose name is looked up as ours are', async (name) => {
    vi.stubEnv(name, `http://user:secret@proxy.test:${portOf(proxy)}`);
    expect((await post(nameless(`${collector.url}/v1/dumps`))).kind).toBe('acknowledged');
    expect(tunnels).toEqual([
      {
        to: nameless(collector.url).slice('http://'.length),
        authorization: `Basic ${Buffer.from('user:secret').toString('base64')}`,
      },
    ]);
    expect(lookedUp).toEqual(['proxy.test']);
  });

  it.each(['*', 'collector.test', '.test'])('goes around it where NO_PROXY is %s', async (noProxy) => {
    vi.stubEnv('HTTP_PROXY', `http://127.0.0.1:${portOf(proxy)}`);
    vi.stubEnv('NO_PROXY', noProxy);
    expect((await post(nameless(collector.url))).kind).toBe('acknowledged');
    expect(tunnels).toEqual([]);
  });

  it('fails, and does not throw, at a proxy that is no URL', async () => {
    vi.stubEnv('HTTP_PROXY', 'nonsense');
    expect(await post(collector.url)).toMatchObject({ kind: 'failed' });
  });

  it.each([
    [{}, undefined],
    [{ HTTP_PROXY: '' }, undefined],
    [{ HTTP_PROXY: 'http://a', http_proxy: '' }, undefined],
    [{ HTTP_PROXY: 'http://a', https_proxy: 'http://b' }, ['http://a', 'http://b']],
    [{ NO_PROXY: '*' }, undefined],
  ])('reads %j as %j', (env, expected) => {
    expect(proxiesOf(env)).toEqual(expected);
  });
});

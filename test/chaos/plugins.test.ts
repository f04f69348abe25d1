import { WebSocket } from 'undici';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { ContractServer } from '../contract/contract-server.ts';
import { begin, exchange, type Sent } from '../contract/exchange.ts';

const BOUNDARY = 'a-boundary';
const MULTIPART = [
  `--${BOUNDARY}`,
  'content-disposition: form-data; name="field"',
  '',
  'value',
  `--${BOUNDARY}`,
  'content-disposition: form-data; name="file"; filename="a.txt"',
  'content-type: text/plain',
  '',
  'x'.repeat(100_000),
  `--${BOUNDARY}--`,
  '',
].join('\r\n');
const upload: Sent = {
  method: 'POST',
  path: '/upload',
  body: MULTIPART,
  headers: { 'content-type': `multipart/form-data; boundary=${BOUNDARY}`, 'content-length': String(MULTIPART.length) },
};
const gzip = { 'accept-encoding': 'gzip' };

const COMMON: readonly (readonly [string, Sent])[] = [
  ['plain', { path: '/ok' }],
  ['compressed', { path: '/big', headers: gzip }],
  ['a compressed stream', { path: '/stream', headers: gzip }],
  ['an upload in parts', upload],
  ['an upload that is none', { ...upload, body: 'nonsense', headers: { ...upload.headers, 'content-length': '8' } }],
  ['404', { path: '/missing' }],
];
const PLUGINS: Readonly<Record<string, readonly (readonly [string, Sent])[]>> = {
  'fastify-plugins': [
    ...COMMON,
    ['CORS', { path: '/ok', headers: { origin: 'http://example.org' } }],
    [
      'a preflight',
      {
        method: 'OPTIONS',
        path: '/ok',
        headers: { origin: 'http://example.org', 'access-control-request-method': 'PUT' },
      },
    ],
  ],
  'express-plugins': [...COMMON, ['a session', { path: '/session' }]],
  'koa-plugins': [
    ...COMMON,
    [
      'a form',
      {
        method: 'POST',
        path: '/body',
        body: 'a=1&b=2',
        headers: { 'content-type': 'application/x-www-form-urlencoded' },
      },
    ],
  ],
};

describe.each(Object.entries(PLUGINS))('%s', (name, exchanges) => {
  let on: ContractServer;
  let off: ContractServer;
  beforeAll(async () => {
    [on, off] = await Promise.all([ContractServer.start(name, true), ContractServer.start(name, false)]);
  });
  afterAll(async () => {
    await Promise.all([on?.kill(), off?.kill()]);
  });

  test.each(exchanges)('behave the same beside hangwatch: %s', async (what, sent) => {
    const [watched, plain] = await Promise.all([exchange('http', on.port, sent), exchange('http', off.port, sent)]);
    // A session's expiry says when.
    const steady = (headers: readonly string[]) => headers.map((line) => line.replace(/Expires=[^;]+/, 'Expires'));
    expect({ ...watched, headers: steady(watched.headers) }).toEqual({ ...plain, headers: steady(plain.headers) });
    if (what.includes('compressed'))
      expect(watched.headers.join('\n').toLowerCase()).toContain('content-encoding: gzip');
    if (what === 'an upload in parts') expect(watched.body).toContain('"size":100000');
    expect(await on.until((state) => state.records.length === 0)).toMatchObject({
      enabled: true,
      inFlight: 0,
      taken: 0,
    });
  });

  test('and a hung request is seen behind them', async () => {
    const pending = begin('http', on.port, { path: '/hang' });
    const { records } = await on.until((state) => state.records[0]?.own.length === 1);
    pending.leave();
    expect(records[0]?.route).toBe('/hang');
    await on.until((state) => state.records.length === 0);
  });

  test('the process ends when its server has closed', async () => {
    const { result } = await on.close();
    expect(result).toMatchObject({ code: 0, timedOut: false });
  });
});

test("@fastify/websocket's connections are the same", async () => {
  const servers = await Promise.all([true, false].map((on) => ContractServer.start('fastify-plugins', on)));
  try {
    const said = await Promise.all(
      servers.map(
        ({ port }) =>
          new Promise((resolve, reject) => {
            const socket = new WebSocket(`ws://127.0.0.1:${port}/socket`);
            socket.addEventListener('open', () => socket.send('hello'));
            socket.addEventListener('error', () => reject(new Error('the socket failed')));
            socket.addEventListener('message', ({ data }) => {
              socket.close();
              resolve(data);
            });
          }),
      ),
    );
    expect(said).toEqual(['echo hello', 'echo hello']);
    const [watched] = servers;
    expect(await watched?.until((state) => state.records.length === 0)).toMatchObject({ inFlight: 0, taken: 0 });
  } finally {
    await Promise.all(servers.map((server) => server.kill()));
  }
});

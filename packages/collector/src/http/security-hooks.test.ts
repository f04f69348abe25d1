import { request } from 'node:http';
import { sampleDump } from '@hangwatch/protocol/sample';
import { afterEach, describe, expect, test } from 'vitest';
import type { CollectorOptions } from '../collector-options.ts';
import { type Collector, createCollector } from '../create-collector.ts';
import { isAllowedHost } from './allowed-host.ts';

let collector: Collector;
async function start(options: CollectorOptions): Promise<void> {
  collector = await createCollector({ port: 0, db: ':memory:', ...options });
  await collector.listen();
}
afterEach(() => collector?.close());

const token = 'correct-horse-battery';
const bearer = `Bearer ${token}`;
const basic = (password: string) => `Basic ${Buffer.from(`anyone:${password}`).toString('base64')}`;
const send = (method: string, path: string, authorization?: string) =>
  fetch(collector.url + path, {
    method,
    headers: { 'content-type': 'application/json', ...(authorization === undefined ? {} : { authorization }) },
    ...(method === 'POST' ? { body: JSON.stringify(sampleDump()) } : {}),
  });

describe('with a token', () => {
  test.each<[string, string, string | undefined, number]>([
    ['POST', '/v1/dumps', bearer, 202],
    ['POST', '/v1/dumps', `bearer  ${token}`, 202],
    ['POST', '/v1/dumps', undefined, 401],
    ['POST', '/v1/dumps', 'Bearer correct-horse-batterx', 401],
    ['POST', '/v1/dumps', 'Bearer ', 401],
    ['POST', '/v1/dumps', token, 401],
    ['POST', '/v1/dumps', `${bearer} x`, 401],
    ['POST', '/v1/dumps', basic(token), 401],
    ['GET', '/v1/dumps', bearer, 200],
    ['GET', '/v1/dumps', basic(token), 200],
    ['GET', '/v1/dumps', undefined, 401],
    ['GET', '/', basic(token), 200],
    ['GET', '/', basic('wrong'), 401],
    ['GET', '/', `Basic ${Buffer.from(token).toString('base64')}`, 401],
    ['GET', '/style.css', undefined, 401],
    ['GET', '/no-such-route', undefined, 401],
    ['GET', '/healthz', undefined, 200],
  ])('%s %s with %j: %d', async (method, path, authorization, status) => {
    await start({ token });
    const response = await send(method, path, authorization);
    expect(response.status).toBe(status);
    if (status === 401) expect(await response.json()).toMatchObject({ error: { code: 'HANGWATCH_ERR_UNAUTHORIZED' } });
  });

  test('a browser is asked for the password on pages, and not by the API', async () => {
    await start({ token });
    expect((await send('GET', '/')).headers.get('www-authenticate')).toBe('Basic realm="hangwatch", charset="UTF-8"');
    expect((await send('GET', '/v1/dumps')).headers.get('www-authenticate')).toBe('Bearer realm="hangwatch"');
  });

  test('nothing is stored without it', async () => {
    await start({ token });
    await send('POST', '/v1/dumps', 'Bearer wrong-wrong-wrong');
    expect(await collector.store.latest()).toBe(0);
  });
});

describe('without a token', () => {
  const withHost = (host: string) =>
    new Promise<number | undefined>((resolve, reject) => {
      const sent = request(`${collector.url}/v1/dumps`, { headers: { host } }, (response) =>
        resolve(response.resume().statusCode),
      );
      sent.once('error', reject).end();
    });

  test('a name that somebody made resolve to this machine is refused', async () => {
    await start({ allowedHosts: ['hangs.internal'] });
    const answers = await Promise.all(
      ['evil.example', 'hangs.internal:80', '127.0.0.1', 'localhost:4747'].map(withHost),
    );
    expect(answers).toEqual([403, 200, 200, 200]);
  });

  test.each([
    ['127.0.0.1:4747', true],
    ['[::1]:4747', true],
    ['192.168.1.5', true],
    ['LOCALHOST', true],
    ['app.localhost:1', true],
    ['localhost.', true],
    ['localhost.evil.example', false],
    ['127.0.0.1.evil.example', false],
    ['', false],
  ])('%s: %s', (header, allowed) => {
    expect(isAllowedHost(header, [])).toBe(allowed);
  });
  test('no Host header at all', () => {
    expect(isAllowedHost(undefined, ['x'])).toBe(false);
  });
});

test('every answer carries the security headers, errors too', async () => {
  await start({ token });
  for (const response of [
    await send('GET', '/', bearer),
    await send('GET', '/'),
    await send('GET', '/none', bearer),
    await send('GET', '/healthz'),
  ]) {
    expect(response.headers.get('content-security-policy')).toMatch(/^default-src 'none'; style-src 'self';/);
    expect(response.headers.get('x-content-type-options')).toBe('nosniff');
  }
});

import { request as httpRequest } from 'node:http';
import { connect } from 'node:net';
import { gzipSync } from 'node:zlib';
import { sampleDump } from '@hangwatch/protocol/sample';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import type { CollectorOptions } from '../collector-options.ts';
import { type Collector, createCollector } from '../create-collector.ts';

let collector: Collector;
const failures: unknown[] = [];

async function start(options: CollectorOptions = {}): Promise<void> {
  collector = await createCollector({
    port: 0,
    db: ':memory:',
    onInternalError: (error) => failures.push(error),
    ...options,
  });
  await collector.listen();
}

async function post(body: string | Uint8Array, headers: Record<string, string> = {}) {
  const response = await fetch(`${collector.url}/v1/dumps`, {
    method: 'POST',
    body,
    headers: { 'content-type': 'application/json', ...headers },
  });
  return { status: response.status, headers: response.headers, body: JSON.parse(await response.text()) };
}

const ndjson = { 'content-type': 'application/x-ndjson' };
const gzip = { 'content-encoding': 'gzip' };
const stored = async () => (await collector.store.list({ limit: 500 })).map((dump) => dump.id).reverse();

beforeEach(() => {
  failures.length = 0;
});
afterEach(async () => {
  await collector.close();
  expect(failures).toEqual([]);
});

describe('accepts', () => {
  beforeEach(() => start());

  test('one dump as JSON, also with a charset', async () => {
    const dump = sampleDump();
    expect(await post(JSON.stringify(dump))).toMatchObject({ status: 202, body: { accepted: 1, duplicates: 0 } });
    expect(
      (await post(JSON.stringify(sampleDump(), null, 2), { 'content-type': 'application/json; charset=utf-8' })).status,
    ).toBe(202);
    expect(await stored()).toHaveLength(2);
  });

  test('a dump twice, and stores it once', async () => {
    const dump = sampleDump();
    await post(JSON.stringify(dump));
    expect(await post(JSON.stringify(dump))).toMatchObject({ status: 202, body: { accepted: 0, duplicates: 1 } });
    expect(await stored()).toEqual([dump.id]);
  });

  test('NDJSON with empty lines, CRLF and no last newline', async () => {
    const lines = [sampleDump({ id: 'a' }), sampleDump({ id: 'b' }), sampleDump({ id: 'a' })].map((dump) =>
      JSON.stringify(dump),
    );
    expect(await post(`\n${lines.join('\r\n')}\n \n`, ndjson)).toMatchObject({
      status: 202,
      body: { accepted: 2, duplicates: 1 },
    });
    expect(await stored()).toEqual(['a', 'b']);
  });

  test.each(['gzip', 'GZIP', 'x-gzip'])('%s', async (encoding) => {
    const body = gzipSync(JSON.stringify(sampleDump({ id: 'zipped' })));
    expect((await post(body, { 'content-encoding': encoding })).status).toBe(202);
    expect(await stored()).toEqual(['zipped']);
  });

  test('a body in chunks without a length', async () => {
    const status = await new Promise((resolve, reject) => {
      const request = httpRequest(`${collector.url}/v1/dumps`, {
        method: 'POST',
        headers: { 'content-type': 'application/json' },
      });
      request.once('response', (response) => resolve(response.resume().statusCode));
      request.once('error', reject);
      const text = JSON.stringify(sampleDump());
      request.write(text.slice(0, 100));
      request.end(text.slice(100));
    });
    expect(status).toBe(202);
  });
});

describe('refuses, and stores nothing of the request', () => {
  beforeEach(() => start());
  afterEach(async () => {
    expect(await stored()).toEqual([]);
  });

  test('a wrong dump, with the path', async () => {
    const dump = sampleDump();
    const frame = { ...dump.requests[0]?.stacks[0]?.[0], line: 'three' };
    const wrong = { ...dump, requests: [{ ...dump.requests[0], stacks: [[frame]] }] };
    expect(await post(JSON.stringify(wrong))).toMatchObject({
      status: 400,
      body: {
        error: {
          code: 'HANGWATCH_ERR_DUMP',
          message: 'requests[0].stacks[0][0].line must be a whole number, 0 or more, got "three"',
          issues: [
            { path: 'requests[0].stacks[0][0].line', message: 'must be a whole number, 0 or more, got "three"' },
          ],
        },
      },
    });
  });

  test('NDJSON of which one line is a wrong dump, with the line', async () => {
    const lines = [sampleDump(), { ...sampleDump(), kind: 'x' }, sampleDump()].map((dump) => JSON.stringify(dump));
    expect(await post(lines.join('\n'), ndjson)).toMatchObject({
      status: 400,
      body: {
        error: {
          issues: [
            {
              line: 2,
              path: 'kind',
              message: expect.stringMatching(/^must be one of "hang", .*, got "x"$/),
            },
          ],
        },
      },
    });
  });

  test('NDJSON of which one line is no JSON, with the line', async () => {
    expect(await post(`${JSON.stringify(sampleDump())}\n\n{"schema":`, ndjson)).toMatchObject({
      status: 400,
      body: { error: { code: 'HANGWATCH_ERR_BODY', message: expect.stringMatching(/^line 3 is not JSON: /) } },
    });
  });

  test.each<[string, string | Uint8Array, Record<string, string>]>([
    ['no JSON', '{', {}],
    ['an empty body', '', {}],
    ['NDJSON without a dump', '\n\n', ndjson],
    ['what is not gzip', 'plain', gzip],
    ['gzip that is cut off', gzipSync(JSON.stringify(sampleDump())).subarray(0, 100), gzip],
    ['what is not UTF-8', new Uint8Array([0x22, 0xff, 0x22]), {}],
  ])('%s: 400', async (_what, body, headers) => {
    expect(await post(body, headers)).toMatchObject({ status: 400, body: { error: { code: 'HANGWATCH_ERR_BODY' } } });
  });

  test('unknown fields nested too deeply to be written again', async () => {
    const text = JSON.stringify({ ...sampleDump(), deep: 0 }).replace(
      '"deep":0',
      `"deep":${'['.repeat(100_000)}${']'.repeat(100_000)}`,
    );
    expect(await post(text)).toMatchObject({
      status: 400,
      body: { error: { code: 'HANGWATCH_ERR_DUMP', message: 'the dump is nested too deeply' } },
    });
  });

  test.each<[string, Record<string, string>]>([
    ['another content type', { 'content-type': 'text/plain' }],
    ['a form, which any page on the web can send', { 'content-type': 'application/x-www-form-urlencoded' }],
    ['a type that only begins alike', { 'content-type': 'application/jsonx' }],
    ['another encoding', { 'content-encoding': 'br' }],
  ])('%s: 415', async (_what, headers) => {
    expect(await post(JSON.stringify(sampleDump()), headers)).toMatchObject({
      status: 415,
      body: { error: { code: 'HANGWATCH_ERR_MEDIA_TYPE' } },
    });
  });

  test('no body and no type: 415', async () => {
    const response = await fetch(`${collector.url}/v1/dumps`, { method: 'POST' });
    expect(response.status).toBe(415);
  });
});

describe('limits', () => {
  const limits = { bodyBytes: 20_000, decompressedBytes: 100_000, dumpsPerRequest: 3 };
  beforeEach(() => start({ limits }));

  test('more bytes than allowed: 413', async () => {
    const big = JSON.stringify({ ...sampleDump(), filler: 'x'.repeat(20_000) });
    const answer = await post(big);
    expect(answer).toMatchObject({
      status: 413,
      body: { error: { code: 'HANGWATCH_ERR_TOO_LARGE', message: 'the body is larger than 20000 bytes' } },
    });
    expect(answer.headers.get('connection')).toBe('close');
    expect((await post(JSON.stringify(sampleDump()))).status).toBe(202);
  });

  test('a length that is announced and far too large is refused before it is sent', async () => {
    const answer = await raw(
      'POST /v1/dumps HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\nContent-Length: 999999999\r\n\r\n{',
    );
    expect(answer).toMatch(/^HTTP\/1\.1 413 /);
  });

  test('a body without a length that never ends is refused', async () => {
    const status = await new Promise((resolve) => {
      const request = httpRequest(`${collector.url}/v1/dumps`, {
        method: 'POST',
        headers: { 'content-type': 'application/json' },
      });
      const timer = setInterval(() => request.write(' '.repeat(10_000)), 1);
      request.once('response', (response) => {
        clearInterval(timer);
        resolve(response.resume().statusCode);
      });
      request.on('error', () => clearInterval(timer));
    });
    expect(status).toBe(413);
  });

  test('more when decompressed than allowed: 413, and memory stays bounded', async () => {
    const bomb = gzipSync(Buffer.alloc(10_000_000, ' '));
    expect(bomb.length).toBeLessThan(limits.bodyBytes);
    const answer = await post(bomb, gzip);
    expect(answer).toMatchObject({
      status: 413,
      body: { error: { message: 'the body is larger than 100000 bytes when decompressed' } },
    });
  });

  test('more dumps than allowed: 413', async () => {
    const lines = Array.from({ length: 4 }, () => JSON.stringify(sampleDump({ requests: [] }))).join('\n');
    expect(await post(lines, ndjson)).toMatchObject({
      status: 413,
      body: { error: { message: 'the body holds more than 3 dumps' } },
    });
    expect(await stored()).toEqual([]);
  });
});

/** Sends bytes as they are, and resolves to what came back when the server closed the connection. */
function raw(bytes: string): Promise<string> {
  const { hostname, port } = new URL(collector.url);
  return new Promise((resolve, reject) => {
    let answer = '';
    const socket = connect(Number(port), hostname, () => socket.write(bytes));
    socket.setEncoding('latin1');
    socket.on('data', (chunk) => {
      answer += chunk;
    });
    socket.once('close', () => resolve(answer));
    socket.once('error', (error) => (answer === '' ? reject(error) : resolve(answer)));
  });
}

describe('slow clients', () => {
  beforeEach(() => start({ requestTimeoutMs: 300 }));

  test('one that does not finish its header, or its body, is let go in time', async () => {
    const head = 'POST /v1/dumps HTTP/1.1\r\nHost: localhost\r\n';
    const began = performance.now();
    const answers = await Promise.all([
      raw(head),
      raw(`${head}Content-Type: application/json\r\nContent-Length: 500\r\n\r\n{`),
    ]);
    expect(performance.now() - began).toBeLessThan(3_000);
    for (const answer of answers) expect(answer).toMatch(/^HTTP\/1\.1 408 /);
  });
});

import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { expect, test } from 'vitest';
import { answerInPlace } from './answer-in-place.ts';

async function serve(listener: (request: IncomingMessage, response: ServerResponse) => void): Promise<Response> {
  const server = createServer(listener);
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  try {
    return await fetch(`http://127.0.0.1:${(server.address() as AddressInfo).port}`);
  } finally {
    server.close();
  }
}

test('answers once, and not where headers are out', async () => {
  const answered: boolean[] = [];
  const response = await serve((request, res) => {
    answered.push(answerInPlace(request, res, 504), answerInPlace(request, res, 503));
  });
  expect(answered).toEqual([true, false]);
  expect([response.status, response.statusText, await response.text()]).toEqual([
    504,
    'Gateway Timeout',
    'Gateway Timeout\n',
  ]);
  const begun = await serve((request, res) => {
    res.writeHead(200);
    answered.push(answerInPlace(request, res, 503));
    res.end('mine');
  });
  expect(answered.at(-1)).toBe(false);
  expect([begun.status, await begun.text()]).toEqual([200, 'mine']);
});

test('keeps the headers that are not about the body, and drops those that are', async () => {
  const { headers } = await serve((request, res) => {
    for (const name of ['access-control-allow-origin', 'x-request-id', 'etag', 'content-encoding', 'set-cookie'])
      res.setHeader(name, 'x');
    res.setHeader('content-length', 4711);
    answerInPlace(request, res, 503);
  });
  expect(headers.get('access-control-allow-origin')).toBe('x');
  expect(headers.get('x-request-id')).toBe('x');
  expect(headers.get('content-length')).toBe('20');
  for (const name of ['etag', 'content-encoding', 'set-cookie']) expect(headers.get(name)).toBeNull();
});

test('whatever the application does afterwards returns what it always did, and calls back', async () => {
  const returned: unknown[] = [];
  const called: string[] = [];
  const response = await serve((request, res) => {
    answerInPlace(request, res, 503);
    returned.push(
      res.setHeader('a', 'b') === res,
      res.appendHeader('a', 'b') === res,
      res.writeHead(200) === res,
      res.write('x', () => called.push('write')),
      res.end('x', () => called.push('end')) === res,
      res.removeHeader('a'),
      res.flushHeaders(),
      res.headersSent,
      res.writableEnded,
    );
  });
  expect(await response.text()).toBe('Service Unavailable\n');
  expect(returned).toEqual([true, true, true, true, true, undefined, undefined, true, true]);
  expect(called).toEqual(['write', 'end']);
});

import { once } from 'node:events';
import http from 'node:http';
import http2 from 'node:http2';
import https from 'node:https';
import { connect, type Socket } from 'node:net';
import { connect as connectTls } from 'node:tls';

/** How a framework's server is spoken to. */
export type Scheme = 'http' | 'https' | 'http2';

export interface Sent {
  readonly method?: string;
  readonly path: string;
  readonly body?: Buffer | string;
  readonly headers?: Record<string, string>;
}

/** Everything of a response that hangwatch must not change. The date goes by. */
export interface Received {
  readonly status: number;
  /** In their order, names as they were written. */
  readonly headers: readonly string[];
  readonly body: string;
}

/** A request under way that is to be left by its client. */
export interface Pending {
  leave(): void;
}

const HOST = '127.0.0.1';

/** Sends a request and reads the whole response. */
export async function exchange(scheme: Scheme, port: number, sent: Sent): Promise<Received> {
  return scheme === 'http2' ? exchangeHttp2(port, sent) : exchangeHttp1(scheme, port, sent);
}

/** Sends a request, and leaves once the first part of its response is there: `left` is what the connection says of that. */
export async function leaveHalfWay(scheme: Scheme, port: number, sent: Sent): Promise<Received & { left: unknown }> {
  if (scheme === 'http2') {
    const session = http2.connect(`http://${HOST}:${port}`);
    session.on('error', () => undefined);
    const stream = session.request({ ':method': sent.method ?? 'GET', ':path': sent.path });
    stream.on('error', () => undefined);
    stream.end();
    const [head] = (await once(stream, 'response')) as [http2.IncomingHttpHeaders & http2.IncomingHttpStatusHeader];
    const [body] = (await once(stream.setEncoding('utf8'), 'data')) as [string];
    const closed = new Promise((resolve) => stream.once('close', resolve));
    stream.close(http2.constants.NGHTTP2_CANCEL);
    await closed;
    session.destroy();
    const kept = Object.entries(head).filter(([name]) => name !== 'date');
    const headers = kept.map(([name, value]) => `${name}: ${value}`);
    return { status: head[':status'] ?? 0, headers, body, left: stream.rstCode };
  }
  const request = open(scheme, port, sent);
  request.on('error', () => undefined);
  request.end();
  const [response] = (await once(request, 'response')) as [http.IncomingMessage];
  response.on('error', () => undefined);
  const [body] = (await once(response.setEncoding('utf8'), 'data')) as [string];
  const closed = new Promise((resolve) => response.once('close', resolve));
  request.destroy();
  await closed;
  return { status: response.statusCode ?? 0, headers: headersOf(response), body, left: response.complete };
}

async function exchangeHttp1(scheme: 'http' | 'https', port: number, sent: Sent): Promise<Received> {
  const request = open(scheme, port, sent);
  request.end(sent.body);
  const [response] = (await once(request, 'response')) as [http.IncomingMessage];
  const body = await text(response);
  return { status: response.statusCode ?? 0, headers: headersOf(response), body };
}

function headersOf(response: http.IncomingMessage): string[] {
  const headers: string[] = [];
  for (let i = 0; i < response.rawHeaders.length; i += 2) {
    const name = response.rawHeaders[i] ?? '';
    if (name.toLowerCase() !== 'date') headers.push(`${name}: ${response.rawHeaders[i + 1] ?? ''}`);
  }
  return headers;
}

function open(scheme: 'http' | 'https', port: number, { method, path, headers }: Sent): http.ClientRequest {
  const options = { host: HOST, port, path, method, headers, agent: false, rejectUnauthorized: false };
  return scheme === 'http' ? http.request(options) : https.request(options);
}

async function exchangeHttp2(port: number, { method = 'GET', path, body, headers }: Sent): Promise<Received> {
  const session = http2.connect(`http://${HOST}:${port}`);
  try {
    const stream = session.request({ ':method': method, ':path': path, ...headers });
    stream.end(body);
    const [head] = (await once(stream, 'response')) as [http2.IncomingHttpHeaders & http2.IncomingHttpStatusHeader];
    const received = await text(stream);
    const kept = Object.entries(head).filter(([name]) => name !== 'date');
    return { status: head[':status'] ?? 0, headers: kept.map(([name, value]) => `${name}: ${value}`), body: received };
  } finally {
    session.close();
  }
}

async function text(stream: NodeJS.ReadableStream): Promise<string> {
  let whole = '';
  stream.setEncoding('utf8');
  for await (const chunk of stream) whole += chunk;
  return whole;
}

/** Sends a request and leaves it there. */
export function begin(scheme: Scheme, port: number, sent: Sent): Pending {
  if (scheme === 'http2') {
    const session = http2.connect(`http://${HOST}:${port}`);
    session.on('error', () => undefined);
    const stream = session.request({ ':method': sent.method ?? 'GET', ':path': sent.path });
    stream.on('error', () => undefined);
    stream.end(sent.body);
    return { leave: () => session.destroy() };
  }
  const request = open(scheme, port, sent);
  request.on('error', () => undefined);
  request.on('response', (response) => response.on('error', () => undefined).resume());
  if (sent.body === undefined) request.end();
  else request.write(sent.body);
  return { leave: () => request.destroy() };
}

/** What comes first on a connection that is upgraded, and after it was. */
export async function upgrade(scheme: 'http' | 'https', port: number): Promise<string> {
  const socket: Socket =
    scheme === 'http' ? connect(port, HOST) : connectTls({ port, host: HOST, rejectUnauthorized: false });
  socket.setEncoding('utf8');
  socket.write(`GET /ok HTTP/1.1\r\nHost: ${HOST}\r\nConnection: Upgrade\r\nUpgrade: echo\r\n\r\n`);
  let all = '';
  socket.once('data', () => socket.write('hello'));
  for await (const chunk of socket) all += chunk;
  return all;
}

/** A request that asks whether it may send its body. */
export async function expectContinue(scheme: 'http' | 'https', port: number, body: string): Promise<Received> {
  const request = open(scheme, port, {
    method: 'POST',
    path: '/upload',
    headers: {
      expect: '100-continue',
      'content-length': String(body.length),
      'content-type': 'application/octet-stream',
    },
  });
  request.flushHeaders();
  await once(request, 'continue');
  request.end(body);
  const [response] = (await once(request, 'response')) as [http.IncomingMessage];
  return { status: response.statusCode ?? 0, headers: [], body: await text(response) };
}

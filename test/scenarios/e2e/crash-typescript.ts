// A server in TypeScript, for a build with source maps: one request waits for ever, and the next makes the process fail.
import http, { type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { watchServer } from '@hangwatch/core';

interface Order {
  readonly id: number;
}

class PaymentError extends Error {}

function pay(_order: Order): never {
  throw /*@error*/ new PaymentError('card 4111 1111 1111 1111');
}

async function waitForStock(_order: Order): Promise<void> {
  /*@await*/ await new Promise<void>(() => undefined);
}

const server = http.createServer((request: IncomingMessage, response: ServerResponse): unknown => {
  if (request.url === '/pay') return setImmediate(() => pay({ id: 1 }));
  response.write('begun');
  return waitForStock({ id: 2 });
});
watchServer(server, { timeout: 60_000, scanInterval: 100, exitDelay: 10_000 });
server.listen(0, '127.0.0.1', () => {
  const { port } = server.address() as AddressInfo;
  console.log(JSON.stringify({ port, pid: process.pid }));
});

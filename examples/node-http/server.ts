import { once } from 'node:events';
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import { connect } from 'node:net';
import { checkpoint, watchServer } from '@hangwatch/core';

const server = createServer(async function answer(request, response) {
  if (request.url === '/hang') await hang(request, response);
  else response.end('hello\n');
});

/** Hangs: the server it connects to, this one, waits for a request that is never sent. */
async function hang(request: IncomingMessage, response: ServerResponse) {
  const socket = connect(request.socket.localPort ?? 0, '127.0.0.1');
  checkpoint('connected to ourselves');
  const [data] = await once(socket, 'data');
  response.end(data);
}

// Reports go to stderr; with `collector: 'http://127.0.0.1:4747'` they go to a collector.
watchServer(server, { timeout: 3_000, ignore: '/healthz' });

const port = Number(process.env.PORT ?? 3000);
server.listen(port, '127.0.0.1', () => console.log(`Open http://127.0.0.1:${port}/hang, and wait three seconds.`));

// A server whose requests keep all threads of libuv's pool, `/fifo`, and others that wait for one. The argument is a FIFO that nobody writes to.
import { pbkdf2 } from 'node:crypto';
import { lookup } from 'node:dns/promises';
import { open, stat } from 'node:fs/promises';
import http from 'node:http';
import { promisify } from 'node:util';
import { gzip } from 'node:zlib';
import { watchServer } from '@hangwatch/core';

const [fifo] = process.argv.slice(2);

const routes = {
  async '/fifo'() {
    const file = await open(fifo, 'r+');
    const reading = file.read(Buffer.alloc(1));
    console.log('reading');
    await reading;
    await file.close();
  },
  '/fs': () => stat(fifo),
  '/dns': () => lookup('localhost'),
  '/crypto': () => promisify(pbkdf2)('password', 'salt', 1, 64, 'sha512'),
  '/zlib': () => promisify(gzip)('text'),
};

const server = http.createServer(async (request, response) => {
  await routes[request.url]();
  response.end('done');
});
watchServer(server, { timeout: 500, scanInterval: 50 });
server.listen(0, '127.0.0.1', () => console.log(JSON.stringify({ port: server.address().port })));

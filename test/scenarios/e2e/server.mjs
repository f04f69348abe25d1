// A plain server with routes that hang, each in its own way. Positions that a test checks are marked with /*@name*/.
import { readFileSync } from 'node:fs';
import http from 'node:http';
import { setTimeout as sleep } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { checkpoint, watchServer } from '@hangwatch/core';
import { Mutex } from 'async-mutex';
import pLimit from 'p-limit';
import PQueue from 'p-queue';
import { Pool } from 'undici';

const releases = [];
let client;
const released = () => new Promise((resolve) => releases.push(resolve));
async function query() {
  await /*@query*/ released();
}
async function loadUser() {
  await null;
  return await /*@loadUser*/ query();
}
const shared = released();
async function work() {
  for (;;) await sleep(5, undefined, { ref: false });
}

const routes = {
  async '/ok'(_request, response) {
    response.end('ok');
  },
  async '/hang'(_request, response) {
    await /*@hang*/ loadUser();
    response.end('done');
  },
  async '/background'(_request, response) {
    setInterval(async () => {
      await null;
      await sleep(1, undefined, { ref: false });
    }, 5).unref();
    await /*@background*/ released();
    response.end('done');
  },
  async '/lazy-client'(request, response) {
    // Made in the handler's context, which all that it does from then on inherits.
    client ??= new Pool(`http://127.0.0.1:${request.socket.localPort}`);
    setInterval(async () => {
      const { body } = await client.request({ path: '/ok', method: 'GET' });
      await body.dump();
    }, 20).unref();
    await /*@lazyClient*/ released();
    response.end('done');
  },
  '/callback'(_request, response) {
    checkpoint('before the callback');
    void response;
  },
  async '/shared'(_request, response) {
    await /*@shared*/ shared;
    response.end('done');
  },
  async '/thousand'(_request, response) {
    const item = async (i) => {
      await sleep(1);
      if (i === 613) await /*@item*/ released();
      await sleep(1);
    };
    await Promise.all(Array.from({ length: 1000 }, (_, i) => item(i)));
    response.end('done');
  },
  async '/p-limit'() {
    await pLimit(1)(work);
  },
  async '/p-queue'() {
    await new PQueue({ concurrency: 1 }).add(work);
  },
  async '/mutex'() {
    await new Mutex().runExclusive(work);
  },
  async '/polling'() {
    await work();
  },
  '/stream'(_request, response) {
    response.writeHead(200, { 'content-type': 'text/csv' });
    setInterval(() => response.write('a,b,c\n'), 30);
  },
  async '/stream-awaited'(_request, response) {
    response.writeHead(200, { 'content-type': 'text/csv' });
    setInterval(() => response.write('a,b,c\n'), 30);
    await released();
  },
  '/events'(_request, response) {
    response.writeHead(200, { 'content-type': 'text/event-stream' });
    response.write(': hello\n\n');
  },
  async '/upstream'(_request, response) {
    const { port } = upstream.address();
    await /*@upstream*/ fetch(`http://user:secret@127.0.0.1:${port}/v1/items?key=secret`.replace('user:secret@', ''));
    response.end('done');
  },
  async '/release'(_request, response) {
    for (const release of releases.splice(0)) release();
    response.end('released');
  },
};

const upstream = http.createServer(() => {});
await new Promise((resolve) => upstream.listen(0, '127.0.0.1', resolve));
const server = http.createServer((request, response) => {
  const route = routes[request.url.split('?')[0]];
  if (route === undefined) return response.writeHead(404).end();
  return route(request, response);
});
watchServer(server, { timeout: 600, scanInterval: 60, ...JSON.parse(process.argv[2] ?? '{}') });
server.listen(0, '127.0.0.1', () => {
  console.log(JSON.stringify({ port: server.address().port, marks: marks() }));
});
process.stdin.on('data', (chunk) => {
  if (String(chunk).includes('close')) {
    upstream.close();
    server.closeAllConnections();
    server.close();
    process.stdin.destroy();
  }
});

function marks() {
  const found = {};
  readFileSync(fileURLToPath(import.meta.url), 'utf8')
    .split('\n')
    .forEach((text, index) => {
      for (const { 1: name, index: at, 0: mark } of text.matchAll(/\/\*@([\w-]+)\*\/ ?/g)) {
        // V8 gives an await's own position where it awaits a call's result: that of the awaited expression.
        found[name] = { line: index + 1, column: at + 1, after: at + mark.length + 1 };
      }
    });
  return found;
}

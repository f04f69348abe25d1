// A server in trouble of one kind, chosen by the first argument, and a route that hangs. The second is hangwatch's options, or `off`.
// Says its port on descriptor 3: stdout and stderr may be what is stuck. A line on stdin ends it through process.exit.
import { execFileSync } from 'node:child_process';
import dns from 'node:dns';
import fs from 'node:fs';
import http from 'node:http';
import { createRequire } from 'node:module';
import os from 'node:os';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import v8 from 'node:v8';
import { watchServer } from '@hangwatch/core';

const [trouble, options] = process.argv.slice(2);
const forever = () => new Promise(() => {});
const kept = [];

async function silentUpstream() {
  const server = http.createServer(() => {});
  await new Promise((resolve) => server.listen(0, '127.0.0.1', resolve));
  return `http://127.0.0.1:${server.address().port}/`;
}

/** Each makes its trouble, and returns what the hanging route waits for. */
const troubles = {
  none: () => forever,
  stdout() {
    for (let i = 0; i < 20; i++) process.stdout.write('x'.repeat(100_000));
    return forever;
  },
  stderr() {
    for (let i = 0; i < 20; i++) process.stderr.write('x'.repeat(100_000));
    return forever;
  },
  // A logger whose thread is stuck holds the main thread up, for seconds at a time.
  pino() {
    const { pino } = createRequire(import.meta.url)('pino');
    const target = fileURLToPath(new URL('stuck-transport.mjs', import.meta.url));
    const logger = pino(pino.transport({ target }));
    return async () => {
      for (;;) {
        logger.info('x'.repeat(100_000));
        // Between two lines: of its event loop there is no turn in which to read stdin.
        if (fs.existsSync(path.join(os.tmpdir(), `exit-${process.pid}`))) process.exit(7);
      }
    };
  },
  console() {
    for (const method of ['log', 'info', 'warn', 'error', 'debug']) console[method] = async () => await forever();
    return () => console.log('into the patched console');
  },
  async pools() {
    const undici = await import('undici');
    const upstream = await silentUpstream();
    // The dispatcher of the application's fetch, and the agent of node:http: one connection each, taken.
    undici.setGlobalDispatcher(new undici.Agent({ connections: 1, pipelining: 1 }));
    http.globalAgent.maxSockets = 1;
    const get = () => new Promise((resolve, reject) => http.get(upstream, resolve).on('error', reject));
    kept.push(fetch(upstream), get());
    return () => Promise.all([fetch(upstream), get()]);
  },
  async threads() {
    const folder = fs.mkdtempSync(path.join(os.tmpdir(), 'hangwatch-fifo-'));
    const fifo = path.join(folder, 'never');
    execFileSync('mkfifo', [fifo]);
    for (let i = 0; i < 8; i++) fs.open(fifo, 'r', () => {});
    return () => fs.promises.readFile(fileURLToPath(import.meta.url));
  },
  // Everything is asked of own-name-server.mjs, which is preloaded.
  dns: () => () => dns.promises.lookup('database.internal'),
  heap() {
    const limit = Number(process.execArgv.join().match(/max-old-space-size=(\d+)/)[1]) * 1024 * 1024;
    while (v8.getHeapStatistics().used_heap_size < limit * 0.85) {
      for (let i = 0; i < 10_000; i++) kept.push({ i, text: `entry ${i}` });
    }
    return forever;
  },
};

const wait = await troubles[trouble]();
const server = http.createServer(async (request, response) => {
  if (request.url === '/ok') return response.end('ok');
  await wait();
  response.end('done');
});
if (options !== 'off') watchServer(server, JSON.parse(options));
process.stdin.once('data', () => process.exit(7));
server.listen(0, '127.0.0.1', () => fs.writeSync(3, `${server.address().port}\n`));

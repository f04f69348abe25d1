// A server that ends in one way, chosen by the first argument; the second is `hung`, `idle`, or `plain` and `plain-hung`: without hangwatch.
import cluster from 'node:cluster';
import http from 'node:http';
import { watchServer, watchTask } from '@hangwatch/core';

const [ending, state] = process.argv.slice(2);
const isPlain = state.startsWith('plain');
const held = [];
const server = http.createServer(async (request, response) => {
  if (request.url === '/hang') await new Promise((resolve) => held.push(resolve));
  response.end('ok');
});

const close = () => {
  server.close();
  server.closeAllConnections();
};
const endings = {
  'last handle closed': close,
  'beforeExit, and then nothing'() {
    process.on('beforeExit', (code) => console.log(`beforeExit ${code}`));
    close();
  },
  'beforeExit, and then more'() {
    process.once('beforeExit', () => setTimeout(() => console.log('more'), 20));
    close();
  },
  return: close,
  'process.exit': () => process.exit(3),
  'process.exit in a thread': () => process.exit(3),
  'uncaught exception'() {
    setImmediate(() => {
      throw new Error('uncaught');
    });
  },
  'unhandled rejection': () => void Promise.reject(new Error('unhandled')),
  'disconnect of a cluster worker'() {
    cluster.worker.disconnect();
    server.closeAllConnections();
  },
  SIGTERM: () => process.kill(process.pid, 'SIGTERM'),
  SIGINT: () => process.kill(process.pid, 'SIGINT'),
  SIGHUP: () => process.kill(process.pid, 'SIGHUP'),
  SIGSEGV: () => process.kill(process.pid, 'SIGSEGV'),
  'segmentation fault': () => deeper(0),
  // What the last line waits for: nothing is left that could settle it.
  'top-level await that never settles': close,
  SIGKILL: () => process.kill(process.pid, 'SIGKILL'),
  'process.abort': () => process.abort(),
  'out of memory'() {
    const kept = [];
    for (;;) kept.push(new Array(10_000).fill(kept.length));
  },
};
const deeper = (depth) => deeper(depth + 1) + 1;
let ended = false;
function end() {
  if (ended) return;
  ended = true;
  console.log(`ending at ${Date.now()}`);
  endings[ending]();
}

if (ending === 'return') await runTask();
else serve();
if (ending === 'top-level await that never settles') await new Promise(() => undefined);

/** No server: the program comes to its last line, with a task that is over, or hangs. */
async function runTask() {
  const never = new Promise(() => undefined);
  const job = () => (state.endsWith('hung') ? never : Promise.resolve());
  const options = { timeout: 200 };
  const running = isPlain ? job() : watchTask('job', job, options);
  if (!state.endsWith('hung')) await running;
  await new Promise((resolve) => setTimeout(resolve, 400));
  end();
}

function serve() {
  if (!isPlain) watchServer(server, { timeout: 200, scanInterval: 20, onHang: () => end() });
  server.listen(0, '127.0.0.1', () => {
    const agent = new http.Agent();
    const get = (path, then) =>
      http
        .get({ host: '127.0.0.1', port: server.address().port, path, agent }, (response) =>
          response.resume().on('end', then),
        )
        .on('error', () => {});
    // With a hung request hangwatch says when it has been reported; without, it has hung as long.
    if (!state.endsWith('hung')) get('/ok', () => setTimeout(end, 400));
    else get('/hang', () => {});
    if (state === 'plain-hung') setTimeout(end, 400);
  });
}

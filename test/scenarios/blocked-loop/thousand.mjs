// Blocks its event loop again and again, for so many times, each time for long enough to be paused; prints what is left of it. Run with --expose-gc.

import { readdirSync } from 'node:fs';
import http from 'node:http';
import inspector from 'node:inspector';
import { setTimeout as sleep } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { catchWatchdog, NO_LIMIT } from './catch-watchdog.mjs';

const TIMES = Number(process.argv[2]);
/** What is kept for good is made in the first blocks: code, maps, texts. */
const WARM = Math.floor(TIMES / 4);
const BLOCK_MS = 35;
const [CONNECTED, DISCONNECTED, MOST, PAUSED, ASKED, HEAP] = [0, 1, 2, 3, 4, 5];
const counts = new Int32Array(new SharedArrayBuffer(6 * 4));

const caught = catchWatchdog({
  settings: { ...NO_LIMIT, blockedLoopMs: 15, counts: counts.buffer },
  preload: fileURLToPath(new URL('./count-sessions.cjs', import.meta.url)),
});
const { watchServer } = await import('@hangwatch/core');

const server = http.createServer((request, response) => {
  // The one that stays is why the loop is watched.
  if (request.url !== '/stays') response.end('ok');
});
watchServer(server, { timeout: 200_000, maxDuration: false });
await new Promise((resolve) => server.listen(0, '127.0.0.1', resolve));
const get = (path) =>
  new Promise((resolve) => {
    const { port } = server.address();
    http
      .get({ host: '127.0.0.1', port, path, agent: false }, (response) => response.resume().on('end', resolve))
      .on('error', resolve);
  });
void get('/stays');
await get('/ok');

const nobody = new Int32Array(new SharedArrayBuffer(4));
/** Asleep, so that many of them fit into a short time, and now and then at work. */
function block(turn) {
  if (turn % 5 > 0) return Atomics.wait(nobody, 0, 0, BLOCK_MS);
  const endMs = performance.now() + BLOCK_MS;
  while (performance.now() < endMs);
  return undefined;
}

async function until(test) {
  for (let i = 0; i < 1_000 && !test(); i++) await sleep(10);
  return test();
}

async function look() {
  await until(() => counts[CONNECTED] === counts[DISCONNECTED]);
  counts[HEAP] = 0;
  counts[ASKED] = 1;
  await until(() => counts[HEAP] > 0);
  for (let i = 0; i < 3; i++) {
    globalThis.gc();
    await sleep(20);
  }
  return {
    heap: process.memoryUsage().heapUsed,
    watchdogHeap: counts[HEAP],
    descriptors: readdirSync('/proc/self/fd').length,
    threads: readdirSync('/proc/self/task').length,
    resources: process
      .getActiveResourcesInfo()
      .filter((type) => type !== 'Timeout')
      .sort(),
    messages: caught.messages,
  };
}

let first;
for (let turn = 1; turn <= TIMES; turn++) {
  block(turn);
  // Two heartbeats.
  await sleep(25);
  if (turn === WARM) first = await look();
}
const last = await look();
// Where a session were attached that knows of breakpoints, the thread would stay here.
// biome-ignore lint/suspicious/noDebugger: that is what is tested
debugger;
console.log(
  JSON.stringify({
    first,
    last,
    between: TIMES - WARM,
    sessions: { connected: counts[CONNECTED], disconnected: counts[DISCONNECTED], most: counts[MOST] },
    pauses: counts[PAUSED],
    url: inspector.url() ?? null,
    workers: caught.workers.length,
    endsAt: Date.now(),
  }),
);
server.closeAllConnections();
server.close();

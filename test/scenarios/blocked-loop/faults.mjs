// A server whose watchdog meets with an accident while it takes a stack: `node faults.mjs POINT DEED THEN`. What the main thread does once the
// point is reached is THEN: `goes-on`, `exit`, `throw`.
import http from 'node:http';
import { fileURLToPath } from 'node:url';
import { catchWatchdog, NO_LIMIT } from './catch-watchdog.mjs';

const [point, does, then] = process.argv.slice(2);
const cell = new SharedArrayBuffer(4);
const reached = new Int32Array(cell);
/** Where nothing is reached, it ends all the same; by then the test has failed. */
const LONGEST_MS = 20_000;
/** How long the block goes on after that: whatever freezes the thread shows in what it took. */
const MORE_MS = 300;

catchWatchdog({
  settings: { ...NO_LIMIT, fault: { point, does }, cell },
  preload: fileURLToPath(new URL('./fault.cjs', import.meta.url)),
});
const { watchServer } = await import('@hangwatch/core');

function block() {
  const beganMs = performance.now();
  while (Atomics.load(reached, 0) === 0 && performance.now() - beganMs < LONGEST_MS);
  const reachedMs = performance.now();
  if (then === 'exit') {
    console.log(JSON.stringify({ endsAt: Date.now() }));
    process.exit(3);
  }
  if (then === 'throw') {
    console.log(JSON.stringify({ endsAt: Date.now() }));
    throw new Error('thrown');
  }
  while (performance.now() - reachedMs < MORE_MS);
  return { untilReachedMs: reachedMs - beganMs, afterMs: performance.now() - reachedMs - MORE_MS };
}

const server = http.createServer((request, response) => {
  response.end(request.url === '/block' ? JSON.stringify(block()) : 'ok');
});
watchServer(server, { timeout: 60_000, blockedLoop: { threshold: 100 }, onInternalError: () => undefined });
server.listen(0, '127.0.0.1', () => console.log(JSON.stringify({ port: server.address().port })));
process.stdin.on('data', () => {
  server.closeAllConnections();
  server.close();
  process.stdin.destroy();
});

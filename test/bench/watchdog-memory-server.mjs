// The server that watchdog-memory.mjs measures: `hangwatch` or `none`. Prints its port; answers a line on stdin once it has collected its garbage.
import http from 'node:http';
import { createInterface } from 'node:readline';

const [variant] = process.argv.slice(2);
const held = [];
const server = http.createServer(async (request, response) => {
  if (request.url === '/hang') await new Promise((resolve) => held.push(resolve));
  if (request.url === '/block') {
    const endMs = performance.now() + 1_500;
    while (performance.now() < endMs);
  }
  response.end('ok');
});
if (variant === 'hangwatch') {
  const { watchServer } = await import('@hangwatch/core');
  watchServer(server, { enabled: true, timeout: 1_000 });
}
server.listen(0, '127.0.0.1', () => console.log(server.address().port));
createInterface({ input: process.stdin }).on('line', async () => {
  for (let i = 0; i < 3; i++) {
    globalThis.gc();
    await new Promise((resolve) => setTimeout(resolve, 100));
  }
  console.log('collected');
});

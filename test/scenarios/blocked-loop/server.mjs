// A server whose routes block its event loop, each in its own way: `node server.mjs '{"blockMs":…,"tool":…,"watchdog":{…},…options}' FIFO`.
import http from 'node:http';
import { setTimeout as sleep } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { catchWatchdog } from './catch-watchdog.mjs';
import { tools } from './tools.mjs';
import { marks, prepare, work } from './work.mjs';

const [settings = '{}', fifo = ''] = process.argv.slice(2);
const { blockMs = 1_200, tool, watchdog, ...options } = JSON.parse(settings);
if (watchdog !== undefined) catchWatchdog({ settings: watchdog });
const { checkpoint, dump, watchServer } = await import('@hangwatch/core');
const tell = await tools[tool]?.();
const never = () => new Promise(() => undefined);

const server = http.createServer(async (request, response) => {
  const { pathname } = new URL(request.url, 'http://x');
  if (pathname === '/waiting') return await /*@waiting*/ never();
  if (pathname === '/poll') for (;;) await sleep(5);
  if (pathname === '/tool') return response.end(JSON.stringify(tell?.()));
  // Answers once the watchdog does.
  if (pathname === '/ready') return response.end(String((await dump())?.kind));
  if (pathname.startsWith('/prepare/')) {
    await prepare(pathname.slice('/prepare'.length), blockMs);
    return response.end();
  }
  const block = work[pathname];
  if (block === undefined) return response.writeHead(404).end();
  checkpoint(`before ${pathname}`);
  const beganAt = Date.now();
  block(blockMs, fifo);
  response.end(JSON.stringify({ beganAt, endedAt: Date.now() }));
});
watchServer(server, { timeout: 60_000, ...options });
server.listen(0, '127.0.0.1', () => {
  const { port } = server.address();
  console.log(JSON.stringify({ port, marks: { ...marks(), ...marks(fileURLToPath(import.meta.url)) } }));
});
process.stdin.on('data', () => {
  server.closeAllConnections();
  server.close();
  process.stdin.destroy();
});

// A server that ends in one way, chosen by the first argument; the second is `hung`, `idle`, or `plain` and `plain-hung`: without hangwatch.
import http from 'node:http';
import { watchServer } from '@hangwatch/core';

const [ending, state] = process.argv.slice(2);
const held = [];
const server = http.createServer(async (request, response) => {
  if (request.url === '/hang') await new Promise((resolve) => held.push(resolve));
  response.end('ok');
});
if (!state.startsWith('plain')) watchServer(server, { timeout: 200, scanInterval: 20, onHang: () => end() });

const endings = {
  'last handle closed'() {
    server.close();
    server.closeAllConnections();
  },
  'process.exit': () => process.exit(3),
  'uncaught exception'() {
    setImmediate(() => {
      throw new Error('uncaught');
    });
  },
  'unhandled rejection': () => void Promise.reject(new Error('unhandled')),
  SIGTERM: () => process.kill(process.pid, 'SIGTERM'),
  SIGINT: () => process.kill(process.pid, 'SIGINT'),
  SIGKILL: () => process.kill(process.pid, 'SIGKILL'),
};
let ended = false;
function end() {
  if (ended) return;
  ended = true;
  console.log(`ending at ${Date.now()}`);
  endings[ending]();
}

server.listen(0, '127.0.0.1', () => {
  const agent = new http.Agent();
  const get = (path, then) =>
    http
      .get({ host: '127.0.0.1', port: server.address().port, path, agent }, (response) =>
        response.resume().on('end', then),
      )
      .on('error', () => {});
  // With a hung request hangwatch says when it has been reported; without, it has hung as long.
  if (!state.endsWith('hung')) get('/ok', () => setTimeout(end, 600));
  else get('/hang', () => {});
  if (state === 'plain-hung') setTimeout(end, 600);
});

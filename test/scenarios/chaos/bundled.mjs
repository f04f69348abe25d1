// What a bundler is given: a server that hangs, hangwatch bundled with it. Prints its port; a request to /exit ends it.
import http from 'node:http';
import { watchServer } from '@hangwatch/core';

async function query() {
  await new Promise((resolve) => globalThis.held.push(resolve));
}
globalThis.held = [];
const server = http.createServer(async (request, response) => {
  if (request.url === '/exit') return process.exit(0);
  if (request.url === '/hang') await query();
  response.end('ok');
});
watchServer(server, { timeout: 300, scanInterval: 30 });
server.listen(0, '127.0.0.1', () => console.log(server.address().port));

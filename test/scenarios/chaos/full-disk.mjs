// A server whose request hangs. The first argument is hangwatch's options; its failures go to stdout, after its port. A line on stdin has the server closed,
// with all its connections: then there is nothing left to do.
import http from 'node:http';
import { watchServer } from '@hangwatch/core';

const options = JSON.parse(process.argv[2]);
async function query() {
  await new Promise(() => {});
}
const server = http.createServer(async (request, response) => {
  if (request.url === '/hang') await query();
  response.end('ok');
});
watchServer(server, { ...options, onInternalError: ({ code, message }) => console.log(`${code} ${message}`) });
process.stdin.once('data', () => {
  process.stdin.destroy();
  server.close();
  server.closeAllConnections();
});
server.listen(0, '127.0.0.1', () => console.log(JSON.stringify({ port: server.address().port })));

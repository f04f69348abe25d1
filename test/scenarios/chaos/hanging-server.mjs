// A server that hangs at /hang, in whatever process or thread it is loaded. Says its port on stdout.
import http from 'node:http';
import { watchServer } from '@hangwatch/core';

const held = [];
const server = http.createServer(async (request, response) => {
  if (request.url === '/hang') await new Promise((resolve) => held.push(resolve));
  response.end(String(process.pid));
});
watchServer(server, { timeout: 300, scanInterval: 30 });
server.listen(Number(process.env.TEST_PORT ?? 0), '127.0.0.1', () => {
  console.log(JSON.stringify({ port: server.address().port, pid: process.pid }));
});

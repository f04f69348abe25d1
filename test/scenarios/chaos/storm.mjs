// A server with 50 groups of routes that hang, and a healthy one. The argument: hangwatch's options, or `off`.
import http from 'node:http';
import { setTimeout as sleep } from 'node:timers/promises';
import { watchServer } from '@hangwatch/core';

const options = process.argv[2];
const held = [];
// Each group hangs in a function of its own, on a line of its own.
const groups = Array.from({ length: 50 }, (_, i) =>
  new Function(
    'held',
    `${'\n'.repeat(i)}return async function group${i}() { await new Promise((r) => held.push(r)); }`,
  )(held),
);
const server = http.createServer(async (request, response) => {
  const group = /^\/group\/(\d+)/.exec(request.url)?.[1];
  if (group !== undefined) await groups[Number(group)]();
  else for (let i = 0; i < 20; i++) await null;
  response.end('ok');
});
if (options !== 'off') watchServer(server, JSON.parse(options));
server.listen(0, '127.0.0.1', () => console.log(JSON.stringify({ port: server.address().port })));

// `storm N`: that many requests enter at once, as they would from connections of their own.
process.stdin.setEncoding('utf8').on('data', async (text) => {
  const count = Number(/storm (\d+)/.exec(text)?.[1]);
  for (let i = 0; i < count; i++) {
    const request = new http.IncomingMessage(null);
    Object.assign(request, { method: 'GET', url: `/group/${i % 50}/item`, complete: true });
    server.emit('request', request, new http.ServerResponse(request));
    if (i % 500 === 499) await sleep(1);
  }
  console.log('stormed');
});

// A request takes a lock and finishes without giving it back; hundreds more come and go; one that wants the lock hangs, until `/release`.
import { once } from 'node:events';
import http from 'node:http';
import { checkpoint, watchServer } from '@hangwatch/core';
import { hangwatch } from '@hangwatch/express';
import express from 'express';

const target = http.createServer((_request, response) => response.end('ok')).listen(0, '127.0.0.1');
await once(target, 'listening');

let locked = false;
const waiting = [];
const options = { timeout: 600, scanInterval: 60, signal: 'SIGUSR2', blockedLoop: { threshold: 200 } };
const app = express();
app.use(hangwatch(options));
app.get('/culprit/:id', async (_request, response) => {
  await fetch(`http://127.0.0.1:${target.address().port}/`).then((answer) => answer.text());
  locked = true;
  checkpoint('lock taken');
  response.end();
});
app.get('/innocent', (_request, response) => response.end());
app.get('/victim', async (_request, response) => {
  if (locked) await new Promise((resolve) => waiting.push(resolve));
  response.end();
});
app.get('/release', (_request, response) => {
  for (const go of waiting.splice(0)) go();
  response.end();
});
app.get('/block', (_request, response) => {
  const until = performance.now() + 700;
  while (performance.now() < until);
  response.end();
});
const server = http.createServer(app);
watchServer(server, options);
server.listen(0, '127.0.0.1', () => console.log(JSON.stringify({ port: server.address().port })));

// A request takes a lock and finishes without giving it back; hundreds more come and go; one that wants the lock hangs.
import { once } from 'node:events';
import http from 'node:http';
import { checkpoint, watchServer } from '@hangwatch/core';
import { hangwatch } from '@hangwatch/express';
import express from 'express';

const target = http.createServer((_request, response) => response.end('ok')).listen(0, '127.0.0.1');
await once(target, 'listening');

let locked = false;
const app = express();
app.use(hangwatch({ timeout: 600, scanInterval: 60 }));
app.get('/culprit/:id', async (_request, response) => {
  await fetch(`http://127.0.0.1:${target.address().port}/`).then((answer) => answer.text());
  locked = true;
  checkpoint('lock taken');
  response.end();
});
app.get('/innocent', (_request, response) => response.end());
app.get('/victim', async (_request, response) => {
  if (locked) await new Promise(() => undefined);
  response.end();
});
app.get('/block', (_request, response) => {
  const until = performance.now() + 300;
  while (performance.now() < until);
  response.end();
});
const server = http.createServer(app);
watchServer(server, { timeout: 600, scanInterval: 60 });
server.listen(0, '127.0.0.1', () => console.log(JSON.stringify({ port: server.address().port })));

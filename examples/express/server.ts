import { once } from 'node:events';
import { connect } from 'node:net';
import { checkpoint } from '@hangwatch/core';
import { hangwatch } from '@hangwatch/express';
import express from 'express';

const app = express();
// First, so that every middleware below is watched. Reports go to stderr; with `collector: 'http://127.0.0.1:4747'` to a collector.
app.use(hangwatch({ timeout: 3_000 }));

app.get('/', (_request, response) => {
  response.json({ hello: 'world' });
});

/** Hangs: the server it connects to, this one, waits for a request that is never sent. */
app.get('/hang', async function askOurselves(request, response) {
  const socket = connect(request.socket.localPort ?? 0, '127.0.0.1');
  checkpoint('connected to ourselves');
  const [answer] = await once(socket, 'data');
  response.send(String(answer));
});

/** Hangs as well: callback code that forgets `next()`. There is no await to show; the report names the middleware. */
app.get(
  '/forgotten',
  function checkCredentials(request, response, next) {
    if (request.headers.authorization === 'Bearer let-me-in') next();
    else if (request.headers.authorization !== undefined) response.sendStatus(403);
  },
  (_request, response) => {
    response.json({ secret: 42 });
  },
);

/** Seven seconds are nothing unusual here: this route has a timeout of its own. */
app.get('/export', hangwatch.route({ timeout: 30_000 }), async (_request, response) => {
  await new Promise((resolve) => setTimeout(resolve, 7_000));
  response.json({ rows: 1_000 });
});

const port = Number(process.env.PORT ?? 3000);
app.listen(port, '127.0.0.1', () => console.log(`Open http://127.0.0.1:${port}/hang, and wait three seconds.`));

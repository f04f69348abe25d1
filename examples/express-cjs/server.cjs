const { once } = require('node:events');
const { connect } = require('node:net');
const hangwatch = require('@hangwatch/express');
const express = require('express');

const app = express();
// First, so that every middleware below is watched. Reports go to stderr; with `collector: 'http://127.0.0.1:4747'` to a collector.
app.use(hangwatch({ timeout: 3_000 }));

app.get('/', (_request, response) => {
  response.json({ hello: 'world' });
});

/** Hangs: the server it connects to, this one, waits for a request that is never sent. */
app.get('/hang', async function askOurselves(request, response) {
  const socket = connect(request.socket.localPort, '127.0.0.1');
  const [answer] = await once(socket, 'data');
  response.send(String(answer));
});

const port = Number(process.env.PORT ?? 3000);
app.listen(port, '127.0.0.1', () => console.log(`Open http://127.0.0.1:${port}/hang, and wait three seconds.`));

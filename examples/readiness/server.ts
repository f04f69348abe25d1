import { once } from 'node:events';
import { connect } from 'node:net';
import { hangwatch } from '@hangwatch/express';
import express from 'express';
import { proveReports } from './readiness.js';

const app = express();
// Probes come every few seconds, and are nobody's requests.
app.use(
  hangwatch({
    timeout: 3_000,
    collector: process.env.HANGWATCH_COLLECTOR ?? 'http://127.0.0.1:4747',
    ignore: '/ready',
  }),
);
const readiness = proveReports(5_000);

/** Kubernetes' readiness probe: no traffic before it is proven that a hang would be reported. */
app.get('/ready', (_request, response) => {
  const state = readiness();
  response.status(state.ready ? 200 : 503).json(state);
});

/** Hangs: the server it connects to, this one, waits for a request that is never sent. */
app.get('/hang', async function askOurselves(request, response) {
  const socket = connect(request.socket.localPort ?? 0, '127.0.0.1');
  const [answer] = await once(socket, 'data');
  response.send(String(answer));
});

const port = Number(process.env.PORT ?? 3000);
app.listen(port, '127.0.0.1', () => console.log(`Open http://127.0.0.1:${port}/ready.`));

import { once } from 'node:events';
import { connect } from 'node:net';
import hangwatch from '@hangwatch/fastify';
import Fastify from 'fastify';

const app = Fastify({ logger: true });
// Reports go to stderr; with `collector: 'http://127.0.0.1:4747'` they go to a collector.
await app.register(hangwatch, { timeout: 3_000 });

app.get('/', async () => ({ hello: 'world' }));

/** Hangs: the server it connects to, this one, waits for a request that is never sent. */
app.get('/hang', async function askOurselves(request) {
  const socket = connect(request.socket.localPort ?? 0, '127.0.0.1');
  const [answer] = await once(socket, 'data');
  return String(answer);
});

/** Seven seconds are nothing unusual here: this route has a timeout of its own. */
app.get('/export', { config: { hangwatch: { timeout: 30_000 } } }, async () => {
  await new Promise((resolve) => setTimeout(resolve, 7_000));
  return { rows: 1_000 };
});

/** Open for ever by design: not watched. */
app.get('/events', { config: { hangwatch: false } }, (_request, reply) => {
  reply.hijack();
  reply.raw.writeHead(200, { 'content-type': 'text/event-stream' });
  reply.raw.write('data: hello\n\n');
});

await app.listen({ host: '127.0.0.1', port: Number(process.env.PORT ?? 3000) });
console.log('Now open /hang, and wait three seconds.');

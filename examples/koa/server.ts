import { once } from 'node:events';
import { connect } from 'node:net';
import { hangwatch } from '@hangwatch/koa';
import Router from '@koa/router';
import Koa from 'koa';

const app = new Koa();
const router = new Router();
// First, so that every middleware below is watched. Reports go to stderr; with `collector: 'http://127.0.0.1:4747'` to a collector.
app.use(hangwatch({ timeout: 3_000 }));

app.use(async function measure(ctx, next) {
  const begin = performance.now();
  await next();
  ctx.set('server-timing', `app;dur=${(performance.now() - begin).toFixed(1)}`);
});

router.get('/', (ctx) => {
  ctx.body = { hello: 'world' };
});

/** Hangs: the server it connects to, this one, waits for a request that is never sent. */
router.get('/hang', async function askOurselves(ctx) {
  const socket = connect(ctx.req.socket.localPort ?? 0, '127.0.0.1');
  const [answer] = await once(socket, 'data');
  ctx.body = String(answer);
});

/** Seven seconds are nothing unusual here: this route has a timeout of its own. */
router.get('/export', hangwatch.route({ timeout: 30_000 }), async (ctx) => {
  await new Promise((resolve) => setTimeout(resolve, 7_000));
  ctx.body = { rows: 1_000 };
});

app.use(router.routes());
const port = Number(process.env.PORT ?? 3000);
app.listen(port, '127.0.0.1', () => console.log(`Open http://127.0.0.1:${port}/hang, and wait three seconds.`));

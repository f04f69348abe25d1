import { hangwatch } from '@hangwatch/koa';
import Koa from 'koa';
import { router } from './routes.mjs';

const app = new Koa();
app.use(hangwatch()); // collector, time-out and name come from HANGWATCH_* in the environment
app.use(router.routes());

const server = app.listen(Number(process.env.PORT ?? 0), '127.0.0.1', () => {
  console.log(`listening on http://127.0.0.1:${server.address().port}`);
});

import { createServer } from 'node:http';
import { hangwatch } from '@hangwatch/koa';
import Router from '@koa/router';
import Koa from 'koa';
import { koaBody } from 'koa-body';
import compress from 'koa-compress';
import * as probe from '../probe.mjs';
import { closeServer } from './node-listener.mjs';

/** Koa with what people add to it. */
export async function start(watched) {
  const app = new Koa();
  app.silent = true;
  const middleware = watched ? hangwatch(probe.options) : undefined;
  if (middleware !== undefined) app.use(middleware);
  app.use(compress({ threshold: 100, br: false }));
  app.use(koaBody({ multipart: true }));
  const router = new Router();
  router.get('/ok', (ctx) => {
    ctx.body = 'ok';
  });
  router.get('/big', (ctx) => {
    ctx.body = Array.from({ length: 1_000 }, (_, i) => ({ i }));
  });
  router.get('/stream', (ctx) => {
    ctx.type = 'text/plain';
    ctx.body = probe.chunks();
  });
  router.post('/upload', (ctx) => {
    const { file } = ctx.request.files;
    ctx.body = { name: file.originalFilename, size: file.size, field: ctx.request.body.field };
  });
  router.post('/body', (ctx) => {
    ctx.body = { got: ctx.request.body };
  });
  router.get('/hang', (ctx) => probe.hang(ctx.res));
  app.use(router.routes());
  app.use(router.allowedMethods());
  const server = createServer(app.callback());
  await new Promise((resolve) => server.listen(0, '127.0.0.1', resolve));
  return {
    server,
    close: async () => {
      await closeServer(server);
      await middleware?.close();
    },
  };
}

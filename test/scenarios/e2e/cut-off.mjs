// Servers whose own time-outs end requests before hangwatch's timeout is over, one case a process.
import { once } from 'node:events';
import http from 'node:http';
import { createRequire } from 'node:module';
import { setTimeout as sleep } from 'node:timers/promises';
import { watchServer } from '@hangwatch/core';

const [, , name, timeout] = process.argv;
const require = createRequire(import.meta.url);
const problems = [];
const options = {
  timeout: Number(timeout),
  scanInterval: 50,
  onInternalError: ({ code, message }) => problems.push([code, message]),
};
const never = () => new Promise(() => {});
async function query() {
  await never();
}
async function receive(request) {
  // Nothing of it is told where the body does not come.
  await new Promise((resolve) =>
    request
      .on('error', () => {})
      .on('end', resolve)
      .resume(),
  );
}
async function listen(server) {
  await once(server.listen(0, '127.0.0.1'), 'listening');
  return server.address().port;
}

const cases = {
  plain() {
    const server = http.createServer(async function answer(request, response) {
      if (request.url === '/problems') return response.end(JSON.stringify(problems));
      if (request.url === '/download') {
        response.writeHead(200);
        setInterval(() => response.write('more\n'), 30).unref();
        return undefined;
      }
      await query();
    });
    watchServer(server, options);
    return server;
  },
  // Handlers that answer 504 and 503 themselves, and leave work behind that never ends.
  async gateway() {
    const { hangwatch } = await import('@hangwatch/express');
    const app = require('express')();
    app.use(hangwatch(options));
    app.get('/hang', async function hangs() {
      await query();
    });
    app.get('/problems', (_req, res) => res.json(problems));
    app.get('/raced', async function raced(_req, res) {
      await Promise.race([query(), sleep(1_100)]);
      res.status(504).end();
    });
    app.get('/moving', async function moving(_req, res) {
      void query();
      for (let i = 0; i < 11; i++) await sleep(100);
      res.status(503).end();
      await sleep(50);
    });
    return http.createServer(app);
  },
  // The same in Koa, where a time-out is an error that the chain is rejected with.
  async koaGateway() {
    const { hangwatch } = await import('@hangwatch/koa');
    const app = new (require('koa'))();
    app.silent = true;
    app.use(hangwatch(options));
    app.use(async function answers(ctx) {
      if (ctx.path === '/hang') return query();
      if (ctx.path === '/problems') {
        ctx.body = problems;
        return undefined;
      }
      if (ctx.path === '/raced') await Promise.race([query(), sleep(1_100)]);
      else {
        void query();
        for (let i = 0; i < 11; i++) await sleep(100);
      }
      return ctx.throw(ctx.path === '/raced' ? 504 : 503);
    });
    return http.createServer(app.callback());
  },
  // Stops watching with a request in flight, which is answered after that.
  closing() {
    let resolve;
    const closed = new Promise((done) => {
      resolve = done;
    });
    const server = http.createServer(async function answer(request, response) {
      if (request.url === '/hang') return query();
      if (request.url === '/slow') await closed;
      response.end('ok');
      if (request.url === '/close') {
        await watched.close();
        resolve();
        server.close();
      }
    });
    const watched = watchServer(server, options);
    return server;
  },
  async serverTimeouts() {
    const server = cases.plain();
    server.timeout = 1_100;
    // Another one, where the time of a request that is not received whole is up.
    const uploads = http.createServer(
      { requestTimeout: 1_100, connectionsCheckingInterval: 50 },
      function upload(request) {
        return receive(request);
      },
    );
    watchServer(uploads, options);
    uploadPort = await listen(uploads);
    return server;
  },
  async express4() {
    return cases.express(require('express4'));
  },
  async express5() {
    return cases.express(require('express'));
  },
  async express(express) {
    const { hangwatch } = await import('@hangwatch/express');
    const app = express();
    app.use(hangwatch(options));
    app.get('/problems', (_req, res) => res.json(problems));
    app.use(require('connect-timeout')('1100ms'));
    app.get('/hang', async function hangs() {
      await query();
    });
    app.use((error, _req, res, _next) => res.status(error.status).send('too late'));
    return http.createServer(app);
  },
  async koa() {
    const { hangwatch } = await import('@hangwatch/koa');
    const app = new (require('koa'))();
    app.silent = true;
    app.use(hangwatch(options));
    app.use((ctx, next) => {
      if (ctx.path !== '/problems') return next();
      ctx.body = problems;
      return undefined;
    });
    app.use(require('koa-timeout-v2')(1_100));
    app.use(async function hangs() {
      await query();
    });
    return http.createServer(app.callback());
  },
  fastify: () => fastifyServer({ handlerTimeout: 1_100 }),
  fastifyConnection: () => fastifyServer({ connectionTimeout: 1_100 }),
};

async function fastifyServer(serverOptions) {
  const { default: hangwatch } = await import('@hangwatch/fastify');
  const app = require('fastify')(serverOptions);
  await app.register(hangwatch, options);
  app.get('/problems', async () => problems);
  app.get('/hang', async function hangs() {
    await query();
  });
  await app.ready();
  return app.server;
}

let uploadPort;
const port = await listen(await cases[name]());
console.log(JSON.stringify({ port, uploadPort }));

// One server of the throughput bench: FRAMEWORK none|als|hangwatch|unblocked, the last with `blockedLoop: false`. Prints its port; answers each line on stdin with the processor time
// that it has used, in microseconds; ends when its input does.
import { AsyncLocalStorage } from 'node:async_hooks';
import http from 'node:http';
import { createInterface } from 'node:readline';

const [framework, variant] = process.argv.slice(2);
// No request hangs, so nothing is sent; that nobody listens there is of no interest.
const options = {
  enabled: true,
  collector: 'http://127.0.0.1:9',
  onInternalError: () => undefined,
  ...(variant === 'unblocked' ? { blockedLoop: false } : {}),
};
const watches = variant === 'hangwatch' || variant === 'unblocked';
const storage = new AsyncLocalStorage();
const leaf = async (i) => i + 1;
const work = async () => {
  let x = 0;
  for (let i = 0; i < 20; i++) x = await leaf(x);
  return { x };
};

const servers = {
  async 'node:http'() {
    const listener = async (_request, response) => response.end(JSON.stringify(await work()));
    const server = http.createServer(variant === 'als' ? (q, s) => storage.run({}, listener, q, s) : listener);
    if (watches) (await import('@hangwatch/core')).watchServer(server, options);
    return server;
  },
  async fastify() {
    const app = (await import('fastify')).default();
    if (watches) await app.register((await import('@hangwatch/fastify')).default, options);
    if (variant === 'als') app.addHook('onRequest', (_request, _reply, done) => storage.run({}, done));
    app.get('/', work);
    await app.ready();
    return app.server;
  },
  async express() {
    const app = (await import('express')).default();
    if (watches) app.use((await import('@hangwatch/express')).hangwatch(options));
    if (variant === 'als') app.use((_request, _response, next) => storage.run({}, next));
    app.get('/', async (_request, response) => response.json(await work()));
    return http.createServer(app);
  },
  async koa() {
    const app = new (await import('koa')).default();
    if (watches) app.use((await import('@hangwatch/koa')).hangwatch(options));
    if (variant === 'als') app.use((_context, next) => storage.run({}, next));
    app.use(async (context) => {
      context.body = await work();
    });
    return http.createServer(app.callback());
  },
};

const server = await servers[framework]();
server.listen(0, '127.0.0.1', () => console.log(server.address().port));
createInterface({ input: process.stdin })
  .on('line', () => {
    const { user, system } = process.cpuUsage();
    console.log(user + system);
  })
  .on('close', () => process.exit(0));

// A server that does on stdin's word what an application would do in its code: `configure {…}`, `registration {…}`, `dump`,
// and tells on `problems` what hangwatch has said of itself.
import { createRequire } from 'node:module';
import { configure, dump, watchServer } from '@hangwatch/core';

const [, , framework] = process.argv;
const require = createRequire(import.meta.url);
// Nothing is ever stuck by these: what is found is found by what came later.
const problems = [];
const options = {
  timeout: 60_000,
  scanInterval: 50,
  signal: 'SIGUSR2',
  onInternalError: ({ code, message }) => problems.push(`${code} ${message}`),
};
const never = () => new Promise(() => {});
const own = { timeout: 70_000 };
let registration;

const frameworks = {
  async http() {
    const server = (await import('node:http')).createServer(async function waits() {
      await never();
    });
    registration = watchServer(server, options);
    return server;
  },
  express4: () => expressServer(require('express4')),
  express5: () => expressServer(require('express')),
  koa2: () => koaServer(require('koa2')),
  koa3: () => koaServer(require('koa')),
  async fastify() {
    const { default: hangwatch } = await import('@hangwatch/fastify');
    const app = require('fastify')();
    await app.register(hangwatch, options);
    app.get('/plain', () => never());
    app.get('/own', { config: { hangwatch: own } }, () => never());
    app.get('/off', { config: { hangwatch: false } }, () => never());
    await app.ready();
    registration = app.hangwatch;
    return app.server;
  },
};

async function expressServer(express) {
  const { hangwatch } = await import('@hangwatch/express');
  const app = express();
  registration = hangwatch(options);
  app.use(registration);
  app.get('/plain', () => never());
  app.get('/own', hangwatch.route(own), () => never());
  app.get('/off', hangwatch.route(false), () => never());
  return (await import('node:http')).createServer(app);
}

async function koaServer(Koa) {
  const { hangwatch } = await import('@hangwatch/koa');
  const app = new Koa();
  registration = hangwatch(options);
  app.use(registration);
  app.use((ctx, next) => {
    if (ctx.path === '/own') return hangwatch.route(own)(ctx, next);
    return ctx.path === '/off' ? hangwatch.route(false)(ctx, next) : next();
  });
  app.use(() => never());
  return (await import('node:http')).createServer(app.callback());
}

const server = await frameworks[framework]();
// Later than what the registration says, sooner than what the route does.
server.timeout = 62_000;
server.listen(0, '127.0.0.1', () => console.log(JSON.stringify({ port: server.address().port })));
let text = '';
process.stdin.setEncoding('utf8').on('data', async (chunk) => {
  text += chunk;
  const lines = text.split('\n');
  text = lines.pop();
  for (const line of lines) {
    const [word] = line.split(' ', 1);
    const value = line.slice(word.length + 1);
    if (word === 'dump') console.log(JSON.stringify(await dump()));
    else if (word === 'problems') console.log(JSON.stringify(problems));
    else {
      try {
        if (word === 'configure') configure(JSON.parse(value));
        else registration.configure(JSON.parse(value));
        console.log('done');
      } catch (error) {
        console.log(error.message);
      }
    }
  }
});

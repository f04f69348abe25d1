// Applications that are told to close and are held by something, one a process: the first argument says which, the second hangwatch's options.
// Prints its port, and `held` for each request that hangs; a line on stdin closes it, a second one lets go of what holds it. After that the process has nothing left to do.
import http from 'node:http';
import { createRequire } from 'node:module';
import net from 'node:net';
import { watchServer } from '@hangwatch/core';

const [, , name, given] = process.argv;
const require = createRequire(import.meta.url);
const options = { ...JSON.parse(given), onInternalError: ({ code, message }) => console.log(code, message) };
let letGo;
const held = new Promise((resolve) => {
  letGo = resolve;
});
async function query() {
  console.log('held');
  await held;
}

const listen = (server) =>
  new Promise((resolve) => server.listen(0, '127.0.0.1', () => resolve(server.address().port)));

const cases = {
  async http() {
    const server = http.createServer(async function answer(request, response) {
      if (request.url === '/hang') await query();
      response.end('ok');
    });
    watchServer(server, options);
    return { port: await listen(server), close: () => server.close() };
  },
  // No request is left, but a connection that the server has handed to a protocol of its own.
  async upgraded() {
    const server = http.createServer((_request, response) => response.end('ok'));
    const sockets = [];
    server.on('upgrade', (_request, socket) => {
      sockets.push(socket);
      socket.write('HTTP/1.1 101 Switching Protocols\r\nconnection: upgrade\r\nupgrade: own\r\n\r\n');
    });
    watchServer(server, options);
    void held.then(() => {
      for (const socket of sockets) socket.destroy();
    });
    return { port: await listen(server), close: () => server.close() };
  },
  async fastify() {
    const app = await cases.anyFastify();
    app.get('/hang', async function hangs() {
      await query();
      return 'done';
    });
    return { port: await cases.listening(app), close: () => app.close() };
  },
  // What hangs is a plugin, after the server has closed.
  async fastifyHook() {
    const app = await cases.anyFastify();
    const pool = net.createServer().listen(0, '127.0.0.1');
    app.addHook('onClose', async function endPool() {
      await held;
      pool.close();
    });
    return { port: await cases.listening(app), close: () => app.close() };
  },
  async anyFastify() {
    const { default: hangwatch } = await import('@hangwatch/fastify');
    const app = require('fastify')();
    await app.register(hangwatch, options);
    app.get('/', async () => 'ok');
    return app;
  },
  async listening(app) {
    await app.listen({ port: 0, host: '127.0.0.1' });
    return app.server.address().port;
  },
  async express() {
    const { hangwatch } = await import('@hangwatch/express');
    const app = require('express')();
    app.use(hangwatch(options));
    app.get('/hang', async function hangs(_request, response) {
      await query();
      response.send('done');
    });
    const server = http.createServer(app);
    return { port: await listen(server), close: () => server.close() };
  },
  // Here it is hangwatch that is closed first, and only then the server.
  async koa() {
    const { hangwatch } = await import('@hangwatch/koa');
    const app = new (require('koa'))();
    const middleware = hangwatch(options);
    app.use(middleware);
    app.use(async function hangs(context) {
      await query();
      context.body = 'done';
    });
    const server = http.createServer(app.callback());
    const close = async () => {
      const beganMs = performance.now();
      await middleware.close();
      console.log(JSON.stringify({ closedInMs: performance.now() - beganMs }));
      server.close();
    };
    return { port: await listen(server), close };
  },
};

const { port, close } = await cases[name]();
process.stdin.once('data', () => {
  void close();
  process.stdin.once('data', () => {
    letGo();
    process.stdin.destroy();
  });
});
console.log(JSON.stringify({ port }));

// One framework, chosen by the first argument, with routes that hang each in its own way, and their healthy twins.
import { execFile, execFileSync } from 'node:child_process';
import { EventEmitter } from 'node:events';
import { existsSync, readFile, readFileSync } from 'node:fs';
import http from 'node:http';
import http2 from 'node:http2';
import { createRequire } from 'node:module';
import { Readable } from 'node:stream';
import { setTimeout as sleep } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { compileFunction } from 'node:vm';
import { configure } from '@hangwatch/core';

const [, , framework, given = '{}'] = process.argv;
const options = { timeout: 800, scanInterval: 80, ...JSON.parse(given) };
const unhandled = [];
process.on('unhandledRejection', (error) => unhandled.push(error.constructor.name));

class NoSuchUser extends Error {}
function /*@findUser*/ findUser() {
  throw new NoSuchUser('secret 4711');
}
const releases = [];
const released = () => new Promise((resolve) => releases.push(resolve));
const require = createRequire(import.meta.url);
/** What a build for an old target left of two async functions. */
const downlevelled = {};
compileFunction(process.env.KINDS_DOWNLEVELLED ?? '', ['exports'], {
  filename: fileURLToPath(new URL('downlevelled.cjs', import.meta.url)),
})(downlevelled);
/** A pipe that nobody writes to: whoever reads it waits in the thread pool. */
function pipe() {
  const path = `${process.env.KINDS_FOLDER}/pipe`;
  if (!existsSync(path)) execFileSync('mkfifo', [path]);
  return path;
}
const BIG = Buffer.alloc(16_000_000, 'x');

const handlers = {
  /*@forgotten*/ forgotten(_request, _response) {},
  /*@finished*/ async finished(_request, _response) {
    await null;
  },
  /*@rejected*/ async rejected(_request, _response) {
    await null;
    findUser();
  },
  /*@begun*/ async begun(_request, response) {
    response.writeHead(200);
    response.write('begun');
  },
  /*@upload*/ upload(request, response) {
    request.resume();
    request.on('end', () => response.end('got it'));
  },
  /*@download*/ async download(_request, response) {
    response.writeHead(200);
    response.end(BIG);
  },
  timer(_request, _response) {
    for (let i = 0; i < 3; i++) /*@timer*/ setTimeout(() => {}, 600_000).unref();
    clearTimeout(setTimeout(() => {}, 600_000));
    setImmediate(() => {});
  },
  file(_request, _response) {
    /*@file*/ readFile(pipe(), () => {});
  },
  nested(_request, _response) {
    setImmediate(function step() {
      /*@nested*/ readFile(pipe(), () => {});
    });
  },
  client(_request, _response) {
    /*@client*/ http.get(
      { host: '127.0.0.1', port: server.address().port, path: '/forgotten', agent: false },
      () => {},
    );
  },
  // Ends with this process, which holds the other end of its input.
  child(_request, _response) {
    /*@child*/ execFile('cat', () => {});
  },
  emitter(_request, _response) {
    new EventEmitter().once('never', () => {});
  },
  promised(_request, _response) {
    return /*@promised*/ new Promise(() => {});
  },
  downlevelled(_request, _response) {
    (async () => {
      /*@beside*/ await released();
    })();
    return downlevelled.outer(released);
  },
  /*@bluebird*/ bluebird(_request, _response) {
    const Bluebird = require('bluebird');
    return new Bluebird(() => {});
  },
  /*@coroutine*/ coroutine(_request, _response) {
    const Bluebird = require('bluebird');
    return Bluebird.coroutine(function* () {
      yield Bluebird.resolve();
      yield new Bluebird(() => {});
    })();
  },
  note(_request, response) {
    const noted = ['/timer', '/file', '/nested', '/client', '/child', '/emitter'];
    configure({ routes: Object.fromEntries(noted.map((path) => [path, { level: 'resources' }])) });
    response.end('noted');
  },
  async livelock(_request, _response) {
    for (;;) {
      /*@lookUp*/ await sleep(45);
      /*@backOff*/ await sleep(45);
    }
  },
  async twice(_request, response) {
    await /*@first*/ released();
    await /*@second*/ released();
    response.end('done');
  },
  async 'slow-then-still'(_request, response) {
    let stop = false;
    releases.push(() => {
      stop = true;
    });
    while (!stop) await sleep(20);
    await /*@still*/ released();
    response.end('done');
  },
  release(_request, response) {
    for (const release of releases.splice(0)) release();
    response.end('released');
  },

  // What is slow and healthy.
  later(_request, response) {
    setTimeout(() => response.end('later'), 400);
  },
  async emitted(_request, response) {
    const emitter = new EventEmitter();
    emitter.once('ready', () => response.end('emitted'));
    setTimeout(() => emitter.emit('ready'), 400);
  },
  async piped(_request, response) {
    let left = 25;
    const source = new Readable({
      read() {
        setTimeout(() => this.push(left-- > 0 ? 'chunk' : null), 100);
      },
    });
    response.writeHead(200);
    source.pipe(response);
  },
  ok(_request, response) {
    response.end('ok');
  },
  unhandled(_request, response) {
    response.end(JSON.stringify(unhandled));
  },
};
const names = Object.keys(handlers);

/** The handler under its own name, called in the framework's own way. */
const adapted = (name, call) => Object.defineProperty(call, 'name', { value: name });

const servers = {
  async http() {
    const { watchServer } = await import('@hangwatch/core');
    const server = http.createServer(
      /*@route*/ function route(request, response) {
        return handlers[request.url.slice(1)](request, response);
      },
    );
    watchServer(server, options);
    return server;
  },
  async http2() {
    const { watchServer } = await import('@hangwatch/core');
    const server = http2.createServer(function route(request, response) {
      return handlers[request.url.slice(1)](request, response);
    });
    watchServer(server, options);
    return server;
  },
  express4: () => expressServer('express4'),
  express5: () => expressServer('express'),
  async koa() {
    const { default: Koa } = await import('koa');
    const { default: Router } = await import('@koa/router');
    const { hangwatch } = await import('@hangwatch/koa');
    const app = new Koa();
    app.use(hangwatch(options));
    const router = new Router();
    for (const name of names) {
      const handler = adapted(name, (context) => {
        context.respond = false;
        return handlers[name](context.req, context.res);
      });
      router.all(`/${name}`, handler);
    }
    app.use(router.routes());
    return http.createServer(app.callback());
  },
  async fastify() {
    const { default: fastify } = await import('fastify');
    const { default: hangwatch } = await import('@hangwatch/fastify');
    const app = fastify();
    await app.register(hangwatch, options);
    app.addContentTypeParser('*', (_request, _payload, done) => done(null));
    for (const name of names) {
      const handler = adapted(name, (request, reply) => {
        reply.hijack();
        return handlers[name](request.raw, reply.raw);
      });
      app.route({ method: ['GET', 'POST'], url: `/${name}`, handler });
    }
    app.get(
      '/no-next',
      { preHandler: /*@authenticate*/ function authenticate(_request, _reply, _done) {} },
      (_request, reply) => reply.send('never'),
    );
    await app.ready();
    return app.server;
  },
};

async function expressServer(name) {
  const { default: express } = await import(name);
  const { hangwatch } = await import('@hangwatch/express');
  const app = express();
  app.use(hangwatch(options));
  for (const each of names) app.all(`/${each}`, handlers[each]);
  app.get(
    '/no-next',
    /*@authenticate*/ function authenticate(_request, _response, _next) {},
    (_request, response) => response.end('never'),
  );
  app.post('/json', express.json(), (_request, response) => response.end('parsed'));
  return http.createServer(app);
}

const server = await servers[framework]();
server.listen(0, '127.0.0.1', () => console.log(JSON.stringify({ port: server.address().port, lines: lines() })));

function lines() {
  const found = {};
  readFileSync(fileURLToPath(import.meta.url), 'utf8')
    .split('\n')
    .forEach((text, index) => {
      for (const [, name] of text.matchAll(/\/\*@([\w-]+)\*\//g)) (found[name] ??= []).push(index + 1);
    });
  return found;
}

// One server a framework, with routes that hang and answer late, each in the framework's own way. Tells on /state what became of it.
import { createRequire } from 'node:module';
import { Readable } from 'node:stream';
import { currentRequest, watchServer } from '@hangwatch/core';

const [, , framework, json] = process.argv;
const options = { timeout: 500, scanInterval: 50, respond: 503, ...JSON.parse(json ?? '{}') };
const require = createRequire(import.meta.url);
const state = { uncaught: [], late: [], reasons: [], closed: 0 };
process.on('uncaughtException', (error) => state.uncaught.push(`${error.code ?? error.message}`));
process.on('unhandledRejection', (error) => state.uncaught.push(`unhandled ${error.code ?? error.message}`));

let releases = [];
const released = () => new Promise((resolve) => releases.push(resolve));
const release = () => {
  for (const each of releases) each();
  releases = [];
};
const never = () => new Promise(() => {});
const slowly = () => Readable.from(['late ', 'stream']);
/** Notes that a late answer was tried, and that trying did not throw. */
const late = async (name, answer) => {
  await released();
  const result = await answer();
  state.late.push(name);
  return result;
};
const abortable = () =>
  new Promise((_, reject) => {
    const { signal } = currentRequest();
    signal.addEventListener('abort', () => reject(signal.reason));
  });
const noteAbort = async () => {
  const request = currentRequest();
  try {
    await abortable();
  } catch (error) {
    state.reasons.push(error.code);
    // Asked for late, when the request may be over, it has fired already.
    if (!request.signal.aborted) state.reasons.push('not aborted');
    throw error;
  }
};
/** What an application does with the bare response when it is too late. */
const rawAnswer = (response) => {
  response.setHeader('x-late', '1');
  response.writeHead(200, { 'content-type': 'text/plain' });
  response.write('late');
  response.removeHeader('x-late');
  return new Promise((resolve) => response.end('late', resolve));
};
const stage = (response) => {
  // What a session store that hangs does to its response.
  response.setHeader('etag', 'W/"1"');
  response.setHeader('set-cookie', 'session=1');
  response.setHeader('x-kept', '1');
  response.end = () => response;
  response.writeHead = () => response;
};

const frameworks = {
  async http() {
    const http = await import('node:http');
    return http.createServer(listener());
  },
  async http2() {
    const http2 = await import('node:http2');
    return http2.createServer(listener());
  },
  express4: () => expressServer(require('express4')),
  express5: () => expressServer(require('express')),
  koa2: () => koaServer(require('koa2')),
  koa3: () => koaServer(require('koa')),
  async fastify() {
    const { default: hangwatch } = await import('@hangwatch/fastify');
    const app = require('fastify')();
    await app.register(hangwatch, options);
    app.get('/ok', async () => 'ok');
    app.get('/hang', () => never());
    app.get('/answer', (_request, reply) => late('answer', () => reply.send({ late: true })));
    app.get('/return', () => late('return', () => ({ late: true })));
    app.get('/raw', async (_request, reply) => late('raw', () => rawAnswer(reply.raw)));
    app.get('/throw', () =>
      late('throw', () => state.late.push('threw')).then(() => Promise.reject(new Error('late'))),
    );
    app.get('/stream', (_request, reply) => late('stream', () => reply.send(slowly())));
    app.get('/patched', (_request, reply) => {
      stage(reply.raw);
      return never();
    });
    app.get('/started', (_request, reply) => {
      reply.raw.write('begun');
      return never();
    });
    app.get('/abort', { config: { hangwatch: { respond: false, abort: true } } }, async (_request, reply) => {
      // A reply is a thenable: returned from here, it would be waited for.
      await noteAbort().catch(() => void reply.code(504));
      return 'given up';
    });
    app.get('/both', { config: { hangwatch: { abort: true } } }, () => noteAbort());
    app.get('/state', async () => state);
    app.get('/release', async () => release());
    await app.ready();
    return app.server;
  },
};

function listener() {
  const routes = {
    '/ok': (_request, response) => response.end('ok'),
    '/hang': () => never(),
    '/answer': (_request, response) => late('answer', () => response.end('late')),
    '/raw': (_request, response) => late('raw', () => rawAnswer(response)),
    '/throw': () => late('throw', () => state.late.push('threw')),
    '/stream': (_request, response) => late('stream', () => slowly().pipe(response)),
    '/patched': (_request, response) => {
      stage(response);
      return never();
    },
    '/started': (_request, response) => {
      response.write('begun');
      return never();
    },
    '/both': async (_request, response) => noteAbort().catch(() => response.destroy()),
    '/state': (_request, response) => response.end(JSON.stringify(state)),
    '/release': (_request, response) => {
      release();
      response.end();
    },
  };
  return (request, response) => routes[request.url](request, response);
}

async function expressServer(express) {
  const { hangwatch } = await import('@hangwatch/express');
  const http = await import('node:http');
  const app = express();
  app.use(hangwatch(options));
  app.get('/ok', (_req, res) => res.send('ok'));
  app.get('/hang', () => never());
  app.get('/answer', (_req, res) => late('answer', () => res.status(201).cookie('a', 'b').json({ late: true })));
  app.get('/return', (_req, res) => late('return', () => res.redirect('/ok')));
  app.get('/raw', (_req, res) => late('raw', () => rawAnswer(res)));
  app.get('/throw', (_req, _res, next) =>
    late('throw', () => state.late.push('threw')).then(() => next(new Error('late'))),
  );
  app.get('/stream', (_req, res) => late('stream', () => slowly().pipe(res)));
  app.get('/patched', (_req, res) => {
    stage(res);
    return never();
  });
  app.get('/started', (_req, res) => {
    res.write('begun');
    return never();
  });
  app.get('/abort', hangwatch.route({ respond: false, abort: true }), (_req, res) =>
    noteAbort().catch(() => res.status(504).send('given up')),
  );
  app.get('/both', hangwatch.route({ abort: true }), (_req, _res, next) => noteAbort().catch(next));
  app.get('/state', (_req, res) => res.json(state));
  app.get('/release', (_req, res) => {
    release();
    res.end();
  });
  return http.createServer(app);
}

async function koaServer(Koa) {
  const { hangwatch } = await import('@hangwatch/koa');
  const http = await import('node:http');
  const app = new Koa();
  app.silent = true;
  app.use(hangwatch(options));
  const acting = (override, fn) => (ctx) => hangwatch.route(override)(ctx, () => fn(ctx));
  const routes = {
    '/ok': (ctx) => {
      ctx.body = 'ok';
    },
    '/hang': () => never(),
    '/answer': (ctx) =>
      late('answer', () => {
        ctx.set('x-late', '1');
        ctx.cookies.set('a', 'b');
        ctx.body = { late: true };
      }),
    '/raw': (ctx) => late('raw', () => rawAnswer(ctx.res)),
    '/throw': () => late('throw', () => state.late.push('threw')).then(() => Promise.reject(new Error('late'))),
    '/stream': (ctx) =>
      late('stream', () => {
        ctx.body = slowly();
      }),
    '/patched': (ctx) => {
      stage(ctx.res);
      return never();
    },
    '/started': (ctx) => {
      ctx.status = 200;
      ctx.res.write('begun');
      return never();
    },
    '/abort': acting({ respond: false, abort: true }, async (ctx) => {
      await noteAbort().catch(() => {
        ctx.status = 504;
      });
      ctx.body = 'given up';
    }),
    '/both': acting({ abort: true }, () => noteAbort()),
    '/state': (ctx) => {
      ctx.body = state;
    },
    '/release': (ctx) => {
      release();
      ctx.body = '';
    },
  };
  app.use((ctx) => routes[ctx.path](ctx));
  return http.createServer(app.callback());
}

const server = await frameworks[framework]();
if (framework.startsWith('http')) watchServer(server, options);
server.listen(0, '127.0.0.1', () => console.log(JSON.stringify({ port: server.address().port })));

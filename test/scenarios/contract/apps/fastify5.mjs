import hangwatch from '@hangwatch/fastify';
import Fastify from 'fastify';
import * as probe from '../probe.mjs';
import { tlsOptions } from './create-server.mjs';

const SERVERS = {
  http: () => ({ forceCloseConnections: true }),
  https: () => ({ forceCloseConnections: true, https: tlsOptions() }),
  http2: () => ({ http2: true }),
};

export async function start(watched, scheme = 'http') {
  const app = Fastify(SERVERS[scheme]());
  if (watched) await app.register(hangwatch, probe.options);

  app.addHook('onRequest', async function authenticate(request) {
    probe.note('authenticate');
    if (request.url === '/hook-throws') throw Object.assign(new Error('refused'), { statusCode: 401 });
  });
  app.addHook('preHandler', function withCallback(request, _reply, done) {
    if (request.url === '/lost') probe.outside(done);
    else done();
  });
  app.addHook('preHandler', async function hookHangs(request, reply) {
    if (request.url !== '/guarded') return;
    await probe.hang(reply.raw);
    reply.hijack();
  });
  app.addHook('onSend', async function onTheWayOut(_request, reply, payload) {
    reply.header('x-sent', typeof payload);
    return payload;
  });
  const upload = async (request) => probe.digest(request.raw);
  app.addContentTypeParser('application/octet-stream', (_request, _payload, done) => done(null));

  app.get('/ok', async () => 'ok');
  app.get('/json', (_request, reply) => {
    reply.header('set-cookie', ['a=1', 'b=2']).send({ a: 1 });
  });
  app.get('/throw', () => {
    throw new Error('failed');
  });
  app.get('/reject', async () => {
    await probe.tick();
    throw Object.assign(new Error('failed'), { statusCode: 503 });
  });
  app.get('/stream', (_request, reply) => reply.send(probe.chunks()));
  app.get('/partial', async (_request, reply) => {
    reply.hijack();
    reply.raw.write('some');
    await probe.hang(reply.raw);
  });
  app.post('/upload', { bodyLimit: 50_000_000 }, upload);
  app.post('/body', async (request) => request.body);
  app.get('/als', async () => probe.ownContext('mine'));
  app.get('/unhandled', async () => {
    probe.failLater();
    return 'ok';
  });
  app.get('/handled', async () => {
    probe.failHandled();
    return 'ok';
  });
  app.get('/leave', async () => {
    probe.leaveTwice();
    return 'ok';
  });
  app.get('/lost', function afterwards(_request, reply) {
    probe.note('afterwards');
    reply.send('ok');
  });
  const waits = async (_request, reply) => {
    await probe.hang(reply.raw);
    reply.hijack();
  };
  app.get('/guarded', async () => 'never');
  app.get('/slow', { config: { hangwatch: { timeout: 120_000 } } }, waits);
  app.get('/off', { config: { hangwatch: false } }, waits);

  await app.register(
    async (child) => {
      child.addHook('preHandler', async function innerFirst() {
        probe.note('innerFirst');
      });
      child.get('/', waits);
      child.get('/items/:id/hang', async function itemHangs(_request, reply) {
        await probe.hang(reply.raw);
        reply.hijack();
      });
      child.get(
        '/layers',
        {
          preValidation: [
            async function first() {
              probe.note('first');
            },
          ],
          preSerialization: async function serial(_request, _reply, payload) {
            probe.note('serial');
            return payload;
          },
          onError: async function failed() {
            probe.note('failed');
          },
          errorHandler: function onError(_error, _request, reply) {
            probe.note('onError');
            reply.code(418).send({ handled: true });
          },
        },
        async function second() {
          probe.note('second');
          throw new Error('to the error handler');
        },
      );
    },
    { prefix: '/api/tenants/:tenant' },
  );
  app.setNotFoundHandler(async function nowhere(_request, reply) {
    probe.note('nowhere');
    return reply.code(404).send('not here');
  });

  app.server.on('upgrade', probe.upgrade);
  await app.listen({ port: 0, host: '127.0.0.1' });
  return { server: app.server, close: () => app.close() };
}

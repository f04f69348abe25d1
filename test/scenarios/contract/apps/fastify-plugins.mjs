import compress from '@fastify/compress';
import cors from '@fastify/cors';
import multipart from '@fastify/multipart';
import websocket from '@fastify/websocket';
import hangwatch from '@hangwatch/fastify';
import fastify from 'fastify';
import * as probe from '../probe.mjs';

/** Fastify with what people add to it. */
export async function start(watched) {
  const app = fastify({ forceCloseConnections: true });
  if (watched) await app.register(hangwatch, probe.options);
  await app.register(cors, { origin: true, credentials: true });
  await app.register(compress, { threshold: 100, encodings: ['gzip', 'deflate'] });
  await app.register(multipart);
  await app.register(websocket);
  app.get('/ok', async () => 'ok');
  app.get('/big', async () => Array.from({ length: 1_000 }, (_, i) => ({ i })));
  app.get('/stream', (_request, reply) => {
    reply.type('text/plain').send(probe.chunks());
  });
  app.post('/upload', async (request) => {
    const file = await request.file();
    const bytes = await file.toBuffer();
    return { name: file.filename, size: bytes.length, field: file.fields.field?.value };
  });
  app.get('/socket', { websocket: true }, (socket) => {
    socket.on('message', (message) => socket.send(`echo ${message}`));
  });
  app.get('/hang', (_request, reply) => probe.hang(reply.raw));
  await app.listen({ port: 0, host: '127.0.0.1' });
  return { server: app.server, close: () => app.close() };
}

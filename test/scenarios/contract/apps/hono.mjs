import { watchServer } from '@hangwatch/core';
import { serve } from '@hono/node-server';
import { Hono } from 'hono';
import * as probe from '../probe.mjs';
import { closeServer } from './node-listener.mjs';

export async function start(watched) {
  const app = new Hono();
  app.get('/ok', (c) => c.text('ok'));
  app.get('/json', (c) => c.json({ a: 1 }));
  app.get('/fail', async () => {
    await probe.tick();
    throw new Error('failed');
  });
  app.get('/hang', async (c) => {
    await probe.hang(c.env.outgoing);
    return c.text('too late');
  });
  const server = await new Promise((resolve) => {
    const made = serve({ fetch: app.fetch, port: 0, hostname: '127.0.0.1' }, () => resolve(made));
  });
  if (watched) watchServer(server, probe.options);
  return { server, close: () => closeServer(server) };
}

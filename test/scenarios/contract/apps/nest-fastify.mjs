import 'reflect-metadata';
import { watchServer } from '@hangwatch/core';
import { NestFactory } from '@nestjs/core';
import { FastifyAdapter } from '@nestjs/platform-fastify';
import * as probe from '../probe.mjs';
import { Application } from './nest.mjs';
import { closeServer } from './node-listener.mjs';

export async function start(watched) {
  const app = await NestFactory.create(Application, new FastifyAdapter(), { logger: false });
  const server = app.getHttpServer();
  if (watched) watchServer(server, probe.options);
  await app.listen(0, '127.0.0.1');
  return { server, close: () => closeServer(server) };
}

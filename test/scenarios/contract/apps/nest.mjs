import 'reflect-metadata';
import { watchServer } from '@hangwatch/core';
import { Controller, Get, Module, Res } from '@nestjs/common';
import { NestFactory } from '@nestjs/core';
import * as probe from '../probe.mjs';
import { closeServer } from './node-listener.mjs';

// Decorators by hand: the scenarios are not compiled.
class Things {
  ok() {
    return 'ok';
  }
  json() {
    return { a: 1 };
  }
  async fail() {
    await probe.tick();
    throw new Error('failed');
  }
  async hang(response) {
    // Express's response is Node's own; Fastify's reply holds it.
    await probe.hang(response.raw ?? response);
  }
}
const decorate = (name, decorator) =>
  decorator(Things.prototype, name, Object.getOwnPropertyDescriptor(Things.prototype, name));
for (const name of ['ok', 'json', 'fail', 'hang']) decorate(name, Get(name));
Res()(Things.prototype, 'hang', 0);
Controller()(Things);
export class Application {}
Module({ controllers: [Things] })(Application);

export async function start(watched) {
  const app = await NestFactory.create(Application, { logger: false });
  const server = app.getHttpServer();
  if (watched) watchServer(server, probe.options);
  await app.listen(0, '127.0.0.1');
  return {
    server,
    close: async () => {
      await closeServer(server);
    },
  };
}

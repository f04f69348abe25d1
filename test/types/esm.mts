// Type-checked against the packed packages, as an application in ESM would use them.

import { createServer } from 'node:http';
import { AwaitTracker, awaitStackOf } from '@hangwatch/async-hooks-helpers';
import { createCollector } from '@hangwatch/collector';
import {
  type BlockedLoopOptions,
  checkpoint,
  currentRequest,
  HangwatchError,
  type HangwatchOptions,
  watchServer,
} from '@hangwatch/core';
import expressDefault, { hangwatch as expressNamed } from '@hangwatch/express';
import fastifyDefault, { hangwatch as fastifyNamed } from '@hangwatch/fastify';
import koaDefault, { hangwatch as koaNamed } from '@hangwatch/koa';
import type { Dump } from '@hangwatch/protocol';
import { parseDump } from '@hangwatch/protocol/validate';
import { formatDump } from '@hangwatch/report';
import express from 'express';
import fastify from 'fastify';
import Koa from 'koa';

const blockedLoop: BlockedLoopOptions = { threshold: 2_000 };
const options: HangwatchOptions = {
  blockedLoop,
  timeout: 10_000,
  collector: ['http://127.0.0.1:4747'],
  ignore: ['/health', /^\/static\//],
};
// @ts-expect-error a timeout is a number
const wrong: HangwatchOptions = { timeout: '10s' };

watchServer(createServer(), options);
express().use(expressDefault(options), expressNamed.route({ timeout: 120_000 }), expressNamed.route(false));
new Koa().use(koaDefault(options)).use(koaNamed.route({ timeout: 120_000 }));
const app = fastify();
await app.register(fastifyDefault, options);
await app.register(fastifyNamed, { timeout: 5 });
app.get('/export', { config: { hangwatch: { timeout: 120_000 } } }, async () => 'ok');
app.get('/events', { config: { hangwatch: false } }, async () => 'ok');
// @ts-expect-error a route's timeout is a number
app.get('/wrong', { config: { hangwatch: { timeout: 'x' } } }, async () => 'ok');
checkpoint('charged the card');
const id: number | undefined = currentRequest()?.id;
const parsed = parseDump({});
const text: string = parsed.ok ? formatDump(parsed.dump satisfies Dump) : (parsed.issues[0]?.path ?? '');
const frames = awaitStackOf(Promise.resolve()).map(({ file, line, column }) => `${file}:${line}:${column}`);

export { AwaitTracker, createCollector, frames, HangwatchError, id, text, wrong };

// The hand-written declarations for CommonJS say what the generated ones say.
import express = require('@hangwatch/express');
import fastify = require('@hangwatch/fastify');
import koa = require('@hangwatch/koa');

import type * as expressEsm from '@hangwatch/express' with { 'resolution-mode': 'import' };
import type * as fastifyEsm from '@hangwatch/fastify' with { 'resolution-mode': 'import' };
import type * as koaEsm from '@hangwatch/koa' with { 'resolution-mode': 'import' };

type Same<A, B> = (<T>() => T extends A ? 1 : 2) extends <T>() => T extends B ? 1 : 2 ? true : false;
type Both<A, B> = [A] extends [B] ? ([B] extends [A] ? true : false) : false;

// Two declarations of one interface are never the same type, only each assignable to the other.
const agree: true[] = [
  true satisfies Both<ReturnType<typeof express>, ReturnType<typeof expressEsm.hangwatch>>,
  true satisfies Same<Parameters<typeof express>, Parameters<typeof expressEsm.hangwatch>>,
  true satisfies Both<typeof express.route, typeof expressEsm.hangwatch.route>,
  true satisfies Same<typeof express.selfTest, typeof expressEsm.hangwatch.selfTest>,
  true satisfies Same<typeof koa.selfTest, typeof koaEsm.hangwatch.selfTest>,
  true satisfies Same<typeof fastify.selfTest, typeof fastifyEsm.hangwatch.selfTest>,
  true satisfies Both<typeof express.selfTestHandler, typeof expressEsm.hangwatch.selfTestHandler>,
  true satisfies Both<typeof koa.selfTestHandler, typeof koaEsm.hangwatch.selfTestHandler>,
  true satisfies Both<typeof fastify.selfTestHandler, typeof fastifyEsm.hangwatch.selfTestHandler>,
  true satisfies Both<express.Middleware, expressEsm.Middleware>,
  true satisfies Both<ReturnType<typeof koa>, ReturnType<typeof koaEsm.hangwatch>>,
  true satisfies Same<Parameters<typeof koa>, Parameters<typeof koaEsm.hangwatch>>,
  true satisfies Both<typeof koa.route, typeof koaEsm.hangwatch.route>,
  true satisfies Both<koa.Middleware, koaEsm.Middleware>,
  true satisfies Same<Parameters<typeof fastify>[1], Parameters<typeof fastifyEsm.hangwatch>[1]>,
  true satisfies Same<express.HangwatchOptions, expressEsm.HangwatchOptions>,
  true satisfies Same<koa.RouteOptions, koaEsm.RouteOptions>,
];

// The function, its namesake and its default are one.
const one: true[] = [
  true satisfies Same<typeof express, typeof express.hangwatch>,
  true satisfies Same<typeof koa, typeof koa.default>,
  true satisfies Same<typeof fastify, typeof fastify.default>,
];

export = { agree, one };

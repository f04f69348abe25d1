// Type-checked against the packed packages, as an application in CommonJS would use them.
import core = require('@hangwatch/core');
import hangwatchExpress = require('@hangwatch/express');
import hangwatchFastify = require('@hangwatch/fastify');
import hangwatchKoa = require('@hangwatch/koa');
import express = require('express');
import fastify = require('fastify');
import Koa = require('koa');

const options: core.HangwatchOptions = { timeout: 10_000 };
express().use(
  hangwatchExpress(options),
  hangwatchExpress.hangwatch.route(false),
  hangwatchExpress.default.route(false),
);
new Koa().use(hangwatchKoa(options)).use(hangwatchKoa.hangwatch.route({ timeout: 5 }));
const app = fastify.fastify();
app.register(hangwatchFastify, options);
app.register(hangwatchFastify.hangwatch, options);
core.checkpoint('here');

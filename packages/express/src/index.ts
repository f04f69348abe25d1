export type { HangwatchOptions, RouteOptions } from '@hangwatch/core';
export type { Middleware, Next } from './enter.ts';
export { type HangwatchMiddleware, hangwatch, hangwatch as default } from './register.ts';

export type { HangwatchOptions, RouteOptions } from '@hangwatch/core';
export type { Middleware, Next } from './enter.ts';
export { type Hangwatch, type HangwatchMiddleware, hangwatch, hangwatch as default } from './register.ts';

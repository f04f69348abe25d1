export type { HangwatchOptions, RouteOptions } from '@hangwatch/core';
export type { Context, Middleware, Next } from './context.ts';
export { type Hangwatch, type HangwatchMiddleware, hangwatch, hangwatch as default } from './register.ts';

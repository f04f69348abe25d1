export type { HangwatchOptions, RouteOptions } from '@hangwatch/core';
export { hangwatch, hangwatch as default } from './register.ts';

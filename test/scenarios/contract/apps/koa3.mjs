import Koa from 'koa';
import { startKoa } from './koa-app.mjs';

export const start = (watched, scheme) => startKoa(Koa, watched, scheme);

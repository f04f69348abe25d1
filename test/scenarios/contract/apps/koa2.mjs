import Koa from 'koa2';
import { startKoa } from './koa-app.mjs';

export const start = (watched, scheme) => startKoa(Koa, watched, scheme);

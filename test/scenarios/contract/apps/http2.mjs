import { createServer } from 'node:http2';
import { startListener } from './node-listener.mjs';

export const start = (watched) => startListener(watched, createServer());

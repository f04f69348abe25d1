import { createServer } from './create-server.mjs';
import { startListener } from './node-listener.mjs';

export const start = (watched) => startListener(watched, createServer('http'));

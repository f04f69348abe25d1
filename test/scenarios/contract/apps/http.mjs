import { createServer } from 'node:http';
import { startListener } from './node-listener.mjs';

export const start = (watched) => startListener(watched, createServer());

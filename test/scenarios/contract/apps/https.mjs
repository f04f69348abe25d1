import { readFileSync } from 'node:fs';
import { createServer } from 'node:https';
import { startListener } from './node-listener.mjs';

const file = (name) => readFileSync(new URL(`../${name}`, import.meta.url));

export const start = (watched) =>
  startListener(watched, createServer({ key: file('key.pem'), cert: file('cert.pem') }));

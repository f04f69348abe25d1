// The hanging server in a thread of the application's own.
import { Worker } from 'node:worker_threads';

new Worker(new URL('./hanging-server.mjs', import.meta.url));

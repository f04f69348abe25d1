// The server of exits.mjs in a thread of the application's own, `thread`, or in a worker of node:cluster, `cluster`: the rest is for that.
import cluster from 'node:cluster';
import { fileURLToPath } from 'node:url';
import { Worker } from 'node:worker_threads';

const EXITS = fileURLToPath(new URL('./exits.mjs', import.meta.url));
const [where, ...argv] = process.argv.slice(2);
if (where === 'thread') new Worker(EXITS, { argv }).on('exit', (code) => console.log(`the thread has ended: ${code}`));
else {
  cluster.setupPrimary({ exec: EXITS, args: argv });
  cluster.fork().on('exit', (code, signal) => console.log(`the worker has ended: ${code} ${signal}`));
}

// The server of crash.mjs in a thread of the application's own; a line on stdin ends the thread, and the process lives on.
import { Worker } from 'node:worker_threads';

const thread = new Worker(new URL('./crash.mjs', import.meta.url), { argv: process.argv.slice(2) });
process.stdin.once('data', async () => {
  await thread.terminate();
  console.log('terminated');
});

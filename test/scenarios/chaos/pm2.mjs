// Two processes in PM2's cluster mode, with PM2 itself inside this process: no daemon. A line on stdin ends all of it.
import { createRequire } from 'node:module';
import { fileURLToPath } from 'node:url';

const pm2 = createRequire(import.meta.url)('pm2');
const call = (name, ...args) =>
  new Promise((resolve, reject) => pm2[name](...args, (error, result) => (error ? reject(error) : resolve(result))));

await call('connect', true);
await call('start', {
  script: fileURLToPath(new URL('./hanging-server.mjs', import.meta.url)),
  name: 'hanging',
  instances: 2,
  exec_mode: 'cluster',
  autorestart: false,
  env: { ...process.env },
});
const list = await call('list');
console.log(JSON.stringify({ pids: list.map(({ pid }) => pid) }));
process.stdin.once('data', async () => {
  await call('delete', 'all');
  process.exit(0);
});

import { createServer } from 'node:net';
import { createCollector } from '@hangwatch/collector';

const DEFAULT_PORT = 4747;

/**
 * Starts a collector of its own for the demo.
 *
 * @param {string} db SQLite file
 * @param {number | undefined} port
 */
export async function startCollector(db, port) {
  const collector = await createCollector({ db, port: port ?? ((await isFree(DEFAULT_PORT)) ? DEFAULT_PORT : 0) });
  const url = await collector.listen();
  return { url, stop: () => collector.close() };
}

function isFree(port) {
  return new Promise((resolve) => {
    const server = createServer();
    server.once('error', () => resolve(false));
    server.listen(port, '127.0.0.1', () => server.close(() => resolve(true)));
  });
}

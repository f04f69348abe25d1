// Two workers of node:cluster on one port, each the hanging server.
import cluster from 'node:cluster';

if (cluster.isPrimary) for (let i = 0; i < 2; i++) cluster.fork({ TEST_PORT: process.env.TEST_PORT ?? '0' });
else await import('./hanging-server.mjs');

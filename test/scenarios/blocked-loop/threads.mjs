// Servers in threads (`threads`) or processes (`cluster`) of a pool: each says its port on stdout, with what it is known by.
import cluster from 'node:cluster';
import { readFileSync } from 'node:fs';
import http from 'node:http';
import { fileURLToPath } from 'node:url';
import { isMainThread, threadId, Worker } from 'node:worker_threads';
import { checkpoint, dump, watchServer } from '@hangwatch/core';

const SERVERS = 2;
const self = fileURLToPath(import.meta.url);
const [kind] = process.argv.slice(2);
const markedLine = (name) =>
  readFileSync(self, 'utf8')
    .split('\n')
    .findIndex((line) => line.includes(`/*@${name}*/ `)) + 1;

if (kind === 'threads' && isMainThread) {
  for (let i = 0; i < SERVERS; i++) new Worker(self, { argv: [kind] });
} else if (kind === 'cluster' && cluster.isPrimary) {
  for (let i = 0; i < SERVERS; i++) cluster.fork();
} else serve();

function serve() {
  const never = () => new Promise(() => undefined);
  const server = http.createServer(async (request, response) => {
    // Answers once the watchdog does.
    if (request.url === '/ready') return response.end(String((await dump())?.kind));
    if (request.url === '/hang') return await /*@hang*/ never();
    checkpoint('before the block');
    const endMs = performance.now() + 1_000;
    let turns = 0;
    while (performance.now() < endMs) /*@loop*/ turns += 1;
    return response.end(String(turns));
  });
  watchServer(server, { timeout: 400, scanInterval: 50, blockedLoop: { threshold: 300 } });
  server.listen({ port: 0, host: '127.0.0.1', exclusive: true }, () => {
    const { port } = server.address();
    const lines = { hang: markedLine('hang'), loop: markedLine('loop') };
    console.log(JSON.stringify({ port, pid: process.pid, threadId, clusterWorker: cluster.worker?.id, lines }));
  });
}

// A server whose routes each wait for another kind of outbound work. The peers are on loopback, and silent.
import { execFileSync, spawn } from 'node:child_process';
import { createSocket } from 'node:dgram';
import dns from 'node:dns';
import { once } from 'node:events';
import fs from 'node:fs';
import fsPromises from 'node:fs/promises';
import http from 'node:http';
import http2 from 'node:http2';
import https from 'node:https';
import net from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import tls from 'node:tls';
import { Worker } from 'node:worker_threads';
import { watchServer } from '@hangwatch/core';
import Redis from 'ioredis';
import mssql from 'mssql';
import { createServer as createMysqlServer } from 'mysql2';
import mysql from 'mysql2/promise';
import { createClient } from 'redis';
import { Pool, Agent as UndiciAgent, fetch as undiciFetch } from 'undici';

const listen = async (server) => {
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  return server.address().port;
};

const silentHttp = await listen(http.createServer(() => undefined));
const halfHttp = await listen(
  http.createServer((_request, response) => {
    response.writeHead(200, { 'content-length': '1000' });
    response.write('x'.repeat(100));
  }),
);
const answeringHttp = await listen(http.createServer((_request, response) => response.end('ok')));
const silentTcp = await listen(net.createServer((socket) => socket.on('error', () => undefined).resume()));
const silentHttp2 = await listen(http2.createServer(() => undefined).on('error', () => undefined));
const silentDns = createSocket('udp4');
silentDns.bind(0, '127.0.0.1');
await once(silentDns, 'listening');

// A listener whose queue of connections is full: it never accepts, and further ones are not answered.
const deaf = spawn(process.execPath, [
  '-e',
  `const server = require('net').createServer();
   server.listen({ port: 0, host: '127.0.0.1', backlog: 1 }, () => {
     require('fs').writeSync(1, server.address().port + '\\n');
     require('fs').readSync(0, Buffer.alloc(1));
     process.exit();
   });`,
]);
const [line] = await once(deaf.stdout, 'data');
const deafTcp = Number(line);
for (let i = 0; i < 8; i++) net.connect(deafTcp, '127.0.0.1').on('error', () => undefined);

// A pool of one thread, which is there before hangwatch is: its tasks, and its listener, are nobody's.
const thread = new Worker(
  "const { parentPort } = require('node:worker_threads'); parentPort.on('message', ({ id, task }) => task === 'answered' && parentPort.postMessage(id));",
  { eval: true, name: 'pooled' },
);
const tasks = [];
thread.on('message', (id) => tasks[id]()).unref();
const inThreadPool = (task) => new Promise((resolve) => thread.postMessage({ id: tasks.push(resolve) - 1, task }));

const folder = fs.mkdtempSync(join(tmpdir(), 'hangwatch-outbound-'));
const fifo = join(folder, 'pipe');
execFileSync('mkfifo', [fifo]);
const endless = join(folder, 'endless.mjs');
fs.writeFileSync(endless, 'await new Promise(() => undefined);\n');
process.chdir(folder);

const httpAgent = new http.Agent({ maxSockets: 2 });
const undiciPool = new Pool(`http://127.0.0.1:${silentHttp}`, { connections: 2 });
const undiciAgent = new UndiciAgent({ connections: 2 });
const drained = drainedPools();
const forEver = () => new Promise(() => undefined);
const responseTo = (request) => once(request, 'response').then(([response]) => response);
const mysqlOptions = { host: '127.0.0.1', port: silentTcp, user: 'secret', password: 'secret', connectTimeout: 60_000 };
const mysqlSilentOnQueries = await startMysqlServer();
let databasePool;

const routes = {
  '/fetch': () => fetch(`http://127.0.0.1:${silentHttp}/v1/items/4711?key=secret`),
  '/fetch-body': async () => (await fetch(`http://127.0.0.1:${halfHttp}/`)).text(),
  '/fetch-connect': () => fetch(`http://127.0.0.1:${deafTcp}/`),
  '/fetch-queued': () => undiciFetch(`http://127.0.0.1:${silentHttp}/queued`, { dispatcher: undiciAgent }),
  '/undici': () => undiciPool.request({ path: '/pool', method: 'POST', body: 'secret' }),
  // Opens the connections of two pools, gets its answers, and then waits for something else.
  '/opener': async () => {
    for (const text of await Promise.all([drained.request(), drained.fetch()])) void text;
    await forEver();
  },
  // Its calls wait in the pools' queues, and are sent when the opener's calls are answered.
  '/queued-behind': async () => {
    await drained.opened;
    const calls = [drained.request(), drained.fetch()];
    drained.answerFirst();
    await Promise.all(calls);
  },
  '/http': () => responseTo(http.get(`http://user:secret@127.0.0.1:${silentHttp}/x?secret`)),
  '/http-body': async () => {
    const response = await responseTo(http.get(`http://127.0.0.1:${halfHttp}/`));
    for await (const chunk of response) void chunk;
  },
  '/http-upload': () =>
    responseTo(http.request({ port: silentHttp, method: 'PUT', host: '127.0.0.1' }).on('socket', () => undefined)),
  '/http-agent': () => responseTo(http.get({ host: '127.0.0.1', port: silentHttp, path: '/agent', agent: httpAgent })),
  '/http-connect': () => responseTo(http.get(`http://127.0.0.1:${deafTcp}/`)),
  '/http-dns': () => responseTo(http.get('http://example.test/', { lookup: () => undefined })),
  '/https': () => responseTo(https.get(`https://127.0.0.1:${silentTcp}/`)),
  '/http2': async () => {
    const session = http2.connect(`http://127.0.0.1:${silentHttp2}`);
    await once(session, 'connect');
    await once(session.request({ ':path': '/stream?secret' }), 'response');
  },
  '/net': () => once(net.connect(deafTcp, '127.0.0.1'), 'connect'),
  '/net-socket': () => once(new net.Socket().connect({ port: deafTcp, host: '127.0.0.1' }), 'connect'),
  '/tls': () => once(tls.connect(silentTcp, '127.0.0.1'), 'secureConnect'),
  '/dns': () => {
    const resolver = new dns.promises.Resolver({ timeout: 60_000, tries: 1 });
    resolver.setServers([`127.0.0.1:${silentDns.address().port}`]);
    return resolver.resolve4('example.test');
  },
  '/dns-callback': () => {
    const resolver = new dns.Resolver({ timeout: 60_000, tries: 1 });
    resolver.setServers([`127.0.0.1:${silentDns.address().port}`]);
    return new Promise((resolve) => resolver.resolveMx('example.test', resolve));
  },
  '/fs': () => fsPromises.readFile(fifo),
  '/fs-callback': () => new Promise((resolve) => fs.readFile(fifo, resolve)),
  '/child': () => once(spawn('cat', ['-', 'secret'], { argv0: 'secret' }), 'close'),
  '/worker': () => once(new Worker('setInterval(() => {}, 1_000)', { eval: true, name: 'silent' }), 'message'),
  '/thread-pool-answered': () => inThreadPool('answered'),
  '/thread-pool': async function thumbnails() {
    await inThreadPool('never answered');
  },
  '/import': () => import(`${endless}?secret`),
  '/mysql': async () => (await mysql.createConnection(mysqlOptions)).query("select * from users where name = 'secret'"),
  // The first has the pool's only connection, the others wait for it.
  '/mysql-pool': () => {
    databasePool ??= mysql.createPool({ ...mysqlOptions, port: mysqlSilentOnQueries, connectionLimit: 1 });
    return databasePool.query("select * from users where name = 'secret'");
  },
  '/ioredis': () =>
    new Redis({ host: '127.0.0.1', port: silentTcp, password: 'secret' }).on('error', () => undefined).get('secret'),
  '/redis': () => {
    const client = createClient({ socket: { host: '127.0.0.1', port: silentTcp }, password: 'secret' });
    client
      .on('error', () => undefined)
      .connect()
      .catch(() => undefined);
    return client.get('secret');
  },
  '/mssql': () =>
    mssql.connect({
      server: '127.0.0.1',
      port: silentTcp,
      user: 'secret',
      password: 'secret',
      connectionTimeout: 60_000,
    }),
  // Nothing of this is what the request waits for.
  '/unrelated': async () => {
    await (await fetch(`http://127.0.0.1:${answeringHttp}/`)).text();
    await forEver();
  },
};

const server = http.createServer(async (request, response) => {
  const path = request.url.split('?')[0];
  await routes[path]().catch((error) => console.error(path, error));
  response.end('done');
});
watchServer(server, { timeout: 600, scanInterval: 60, ...JSON.parse(process.argv[2] ?? '{}') });
server.listen(0, '127.0.0.1', () => {
  const ports = { silentHttp, halfHttp, answeringHttp, silentTcp, silentHttp2, deafTcp };
  console.log(JSON.stringify({ port: server.address().port, ports, routes: Object.keys(routes) }));
});
process.on('exit', () => deaf.kill('SIGKILL'));

/** A MySQL server that lets everybody in and answers no query. */
function startMysqlServer() {
  const mysqlServer = createMysqlServer();
  mysqlServer.on('connection', (connection) => {
    connection.on('error', () => undefined).on('query', () => undefined);
    connection.serverHandshake({
      protocolVersion: 10,
      serverVersion: '5.7.0',
      connectionId: 1,
      statusFlags: 2,
      characterSet: 33,
      capabilityFlags: 0xffffff,
      authCallback: (_parameters, done) => done(null),
    });
  });
  mysqlServer.listen(0, '127.0.0.1');
  return once(mysqlServer._server, 'listening').then(() => mysqlServer._server.address().port);
}

/** Two pools of one connection each, to a server that answers the first call on each when told to, and later ones never. */
function drainedPools() {
  const held = [];
  const { promise: opened, resolve: open } = withResolvers();
  const server = http.createServer((_request, response) => {
    if (held.length < 2 && held.push(response) === 2) open();
  });
  const listening = listen(server);
  const pools = listening.then((port) => ({
    url: `http://127.0.0.1:${port}`,
    pool: new Pool(`http://127.0.0.1:${port}`, { connections: 1 }),
    // An agent makes a client of one connection, without a queue of its own, unless it is told to make a pool.
    agent: new UndiciAgent({ factory: (origin, options) => new Pool(origin, { ...options, connections: 1 }) }),
  }));
  return {
    opened,
    async request() {
      const { body } = await (await pools).pool.request({ path: '/drained-request', method: 'GET' });
      return body.text();
    },
    async fetch() {
      const { url, agent } = await pools;
      return (await undiciFetch(`${url}/drained-fetch`, { dispatcher: agent })).text();
    },
    answerFirst() {
      for (const response of held) if (!response.writableEnded) response.end('ok');
    },
  };
}

function withResolvers() {
  let resolve;
  const promise = new Promise((settle) => {
    resolve = settle;
  });
  return { promise, resolve };
}

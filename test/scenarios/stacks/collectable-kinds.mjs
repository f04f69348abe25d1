// Handlers that hang: in what nothing can resume any more, and in what something still can, be it never.
import { execFile, execFileSync } from 'node:child_process';
import dgram from 'node:dgram';
import dns from 'node:dns/promises';
import { EventEmitter, once } from 'node:events';
import { constants, mkdtempSync, rmSync } from 'node:fs';
import { open } from 'node:fs/promises';
import http from 'node:http';
import net from 'node:net';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { promisify } from 'node:util';
import { MessageChannel, Worker } from 'node:worker_threads';
import { Mutex } from 'async-mutex';
import Bluebird from 'bluebird';
import pLimit from 'p-limit';
import pg from 'pg';
import { request } from 'undici';
import { never } from './harness.mjs';

const LONG_MS = 1e6;
const folder = mkdtempSync(path.join(tmpdir(), 'hangwatch-collectable-'));
const fifo = path.join(folder, 'fifo');
execFileSync('mkfifo', [fifo]);
const connections = new Set();
const listening = (server) =>
  new Promise((resolve) => server.listen(0, '127.0.0.1', () => resolve(server.address().port)));
/** Takes connections and answers nothing on them. */
const silentPort = await listening(net.createServer((socket) => connections.add(socket.on('error', () => {}))));
const udp = dgram.createSocket('udp4');
await new Promise((resolve) => udp.bind(0, '127.0.0.1', resolve));
// A PostgreSQL server that accepts the start-up and answers nothing after it.
const ready = Buffer.from([0x52, 0, 0, 0, 8, 0, 0, 0, 0, 0x5a, 0, 0, 0, 5, 0x49]);
const postgresPort = await listening(
  net.createServer((socket) => {
    connections.add(socket.on('error', () => {}));
    socket.once('data', () => socket.write(ready));
  }),
);
const pool = new pg.Pool({ host: '127.0.0.1', port: postgresPort, user: 'u', password: 'p', database: 'd', max: 1 });

const emitter = new EventEmitter();
const locks = [new Mutex(), new Mutex()];
const limit = pLimit(1);
const words = new Int32Array(new SharedArrayBuffer(4));
const kept = [];
let cache;
const steps = new Set();

/** Each takes one lock, and then wants the other. */
async function crossing(first, second) {
  await first.acquire();
  await sleep(5);
  steps.add(`crossing ${locks.indexOf(first)}`);
  await second.acquire();
}

export const unresolvable = {
  'dropped resolver': async () => {
    await new Promise(() => {});
  },
  'dropped resolver that refers to itself, after a timer': async () => {
    await sleep(1);
    await new Promise((resolve) => {
      const holder = { resolve };
      holder.self = holder;
    });
  },
  'emitter of its own': async () => {
    await once(new EventEmitter(), 'x');
  },
  'race of two dropped': async () => {
    await Promise.race([new Promise(() => {}), new Promise(() => {})]);
  },
  'all of one dropped and others that settle': async () => {
    await Promise.all([1, sleep(1), new Promise(() => {})]);
  },
  'two that wait for each other': async () => {
    let b;
    const a = (async () => {
      await null;
      await b;
    })();
    b = (async () => {
      await a;
    })();
    await a;
  },
  'deadlock on mutexes of its own': async () => {
    const [a, b] = [new Mutex(), new Mutex()];
    const both = async (first, second) => {
      await first.acquire();
      await null;
      await second.acquire();
    };
    await Promise.all([both(a, b), both(b, a)]);
  },
  'dropped promise of Bluebird': async () => {
    await new Bluebird(() => {});
  },
  'after await of values': async () => {
    for (let i = 0; i < 3; i++) await i;
    await new Promise(() => {});
  },
};

// What a collection leaves is not proven to hang, and mostly does not: of the deadlock and the cache nothing can be proven either.
export const resumable = {
  'deadlock on global mutexes, one': () => crossing(locks[0], locks[1]),
  'deadlock on global mutexes, other': () => crossing(locks[1], locks[0]),
  'kept resolver': async () => {
    await never();
  },
  'resolver in a timer': async () => {
    await new Promise((resolve) => {
      setTimeout(resolve, LONG_MS);
    });
  },
  'resolver in a timer that is unref’d': async () => {
    await new Promise((resolve) => {
      setTimeout(resolve, LONG_MS).unref();
    });
  },
  'timer of timers/promises': async () => {
    await sleep(LONG_MS, null, { ref: false });
  },
  'resolver in an open socket': async () => {
    const socket = net.connect(silentPort, '127.0.0.1');
    await new Promise((resolve) => socket.once('data', resolve));
  },
  'http without an answer': async () => {
    await new Promise((resolve, reject) =>
      http.get({ host: '127.0.0.1', port: silentPort, agent: false }, resolve).on('error', reject),
    );
  },
  'fetch without an answer': async () => {
    await fetch(`http://127.0.0.1:${silentPort}/`);
  },
  'undici without an answer': async () => {
    await request(`http://127.0.0.1:${silentPort}/`);
  },
  'global emitter': async () => {
    await once(emitter, 'x');
  },
  'fs/promises on a pipe': async () => {
    const file = await open(fifo, constants.O_RDWR);
    steps.add('pipe open');
    await file.read(Buffer.alloc(1), 0, 1, null);
  },
  'dns/promises without an answer': async () => {
    const resolver = new dns.Resolver({ timeout: LONG_MS });
    resolver.setServers([`127.0.0.1:${udp.address().port}`]);
    await resolver.resolve4('x.example');
  },
  'child process': async () => {
    // Ends with this process, which holds the other end of its input.
    await promisify(execFile)('cat');
  },
  'message of a worker': async () => {
    const worker = new Worker('setInterval(() => {}, 1000)', { eval: true });
    worker.once('online', () => steps.add('worker online'));
    await once(worker, 'message');
  },
  'pg: holds the only connection': async () => {
    await pool.connect();
    steps.add('pg connected');
    await never();
  },
  'pg: waits for the connection': async () => {
    await pool.connect();
  },
  'p-limit: runs': async () => {
    await limit(() => never());
  },
  'p-limit: waits': async () => {
    await limit(() => never());
  },
  'Atomics.waitAsync on a kept buffer': async () => {
    await Atomics.waitAsync(words, 0, 0).value;
  },
  'AbortSignal.timeout': async () => {
    await once(AbortSignal.timeout(LONG_MS), 'abort');
  },
  'race of one dropped and one in a timer': async () => {
    await Promise.race([new Promise(() => {}), sleep(LONG_MS, null, { ref: false })]);
  },
  'message port, the other end kept': async () => {
    const { port1, port2 } = new MessageChannel();
    kept.push(port2);
    await once(port1, 'message');
  },
  // Nothing can resolve it: but who asks the cache finds the promise, and a promise that can be found keeps those that wait for it.
  'global cache of a dropped promise': async () => {
    cache ??= new Promise(() => {});
    await cache;
  },
};

/** Each has come as far as it can. */
export async function everythingWaits() {
  const wanted = ['crossing 0', 'crossing 1', 'pipe open', 'worker online', 'pg connected'];
  const giveUpAt = Date.now() + 10_000;
  while (!wanted.every((step) => steps.has(step))) {
    if (Date.now() > giveUpAt) throw new Error(`only ${[...steps].join(', ')}`);
    await sleep(5);
  }
}

export const cleanUp = () => rmSync(folder, { recursive: true });

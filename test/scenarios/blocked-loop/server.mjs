// A server whose routes block its event loop, each in its own way. Lines that a test checks are marked with /*@name*/.
import { execSync } from 'node:child_process';
import { pbkdf2Sync } from 'node:crypto';
import { openSync, readFileSync, readSync } from 'node:fs';
import http from 'node:http';
import { setTimeout as sleep } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { Worker } from 'node:worker_threads';
import { gzipSync } from 'node:zlib';
import { checkpoint, watchServer } from '@hangwatch/core';

const [settings = '{}', fifo = ''] = process.argv.slice(2);
const { blockMs = 3_000, pauseOnExceptions = false, ...options } = JSON.parse(settings);
const never = () => new Promise(() => undefined);
/** Runs short native calls until the time is over is no native call: their length is found by trying. */
const lasting = (work) => {
  for (let size = 1; ; size *= 2) {
    const beganMs = performance.now();
    work(size);
    const tookMs = performance.now() - beganMs;
    if (tookMs > 100) return () => work(Math.ceil((size * blockMs) / tookMs));
  }
};
const text = (size) => `[${'{"a":[1,2,3]},'.repeat(size)}1]`;
const rounds = lasting((size) => pbkdf2Sync('password', 'salt', 10_000 * size, 64, 'sha512'));

function endlessLoop() {
  const endMs = performance.now() + blockMs;
  let turns = 0;
  while (performance.now() < endMs) /*@loop*/ turns += 1;
  return turns;
}
function evilExpression() {
  // Each further letter doubles the time.
  for (let letters = 20; ; letters++) {
    const beganMs = performance.now();
    /*@regex*/ /^(a+)+$/.test(`${'a'.repeat(letters)}b`);
    if (performance.now() - beganMs > blockMs / 2) return;
  }
}
function shellOut() {
  /*@exec*/ execSync(`sleep ${blockMs / 1_000}`);
}
function parseMuch(body) {
  /*@json*/ return JSON.parse(body);
}
function hashMuch() {
  /*@pbkdf2*/ rounds();
}
function packMuch(buffer) {
  /*@gzip*/ gzipSync(buffer, { level: 9 });
}
function readFifo() {
  const descriptor = openSync(fifo, 'r+');
  /*@fifo*/ readSync(descriptor, Buffer.alloc(10));
}
function waitForNobody() {
  /*@atomics*/ Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, blockMs);
}

function throwAndCatch() {
  const endMs = performance.now() + blockMs;
  let caught = 0;
  while (performance.now() < endMs) {
    try {
      /*@throws*/ throw new Error('caught at once');
    } catch {
      caught += 1;
    }
  }
  return caught;
}

/** Work of no request, which a timer of the process does when it is due. */
const background = { due: false, turns: 0 };
setInterval(() => {
  if (!background.due) return;
  background.due = false;
  const endMs = performance.now() + blockMs;
  while (performance.now() < endMs) /*@background*/ background.turns += 1;
}, 20).unref();

/** As tools do that read local variables of errors: they pause the thread wherever something is thrown, and let it go on. */
function pauseOnEveryException() {
  const tool = new Worker(
    `const { Session } = require('node:inspector');
    const session = new Session();
    session.connectToMainThread();
    session.on('Debugger.paused', ({ params }) => {
      if (params.reason === 'exception' || params.reason === 'promiseRejection') session.post('Debugger.resume');
    });
    session.post('Debugger.enable');
    session.post('Debugger.setPauseOnExceptions', { state: 'all' }, () => require('node:worker_threads').parentPort.postMessage('ready'));
    setInterval(() => undefined, 1_000);`,
    { eval: true },
  );
  return new Promise((resolve) => {
    tool.once('message', () => {
      tool.unref();
      resolve();
    });
  });
}

const bodies = { json: undefined, gzip: undefined };
const routes = {
  '/loop': endlessLoop,
  '/regex': evilExpression,
  '/exec': shellOut,
  '/json': () => parseMuch(bodies.json),
  '/pbkdf2': hashMuch,
  '/gzip': () => packMuch(bodies.gzip),
  '/fifo': readFifo,
  '/atomics': waitForNobody,
  '/throws': throwAndCatch,
  '/due': () => {
    background.due = true;
  },
  '/prepare-json': () => {
    bodies.json = text(8_000_000);
  },
  '/prepare-gzip': () => {
    bodies.gzip = Buffer.alloc(400_000_000, 'abcdefghijklmnop');
  },
  '/ok': () => undefined,
  // The debugger that is attached, if any, decides how long.
  '/breakpoint': () => {
    // biome-ignore lint/suspicious/noDebugger: that is what is tested
    debugger;
  },
};

const server = http.createServer(async (request, response) => {
  const { pathname } = new URL(request.url, 'http://x');
  if (pathname === '/waiting') return await /*@waiting*/ never();
  if (pathname === '/poll') for (;;) await sleep(5);
  const work = routes[pathname];
  if (work === undefined) return response.writeHead(404).end();
  checkpoint(`before ${pathname}`);
  work();
  response.end('done');
});
if (pauseOnExceptions) await pauseOnEveryException();
watchServer(server, { timeout: 60_000, ...options });
server.listen(0, '127.0.0.1', () => console.log(JSON.stringify({ port: server.address().port, marks: marks() })));
process.stdin.on('data', () => {
  server.closeAllConnections();
  server.close();
  process.stdin.destroy();
});

function marks() {
  const found = {};
  readFileSync(fileURLToPath(import.meta.url), 'utf8')
    .split('\n')
    .forEach((line, index) => {
      for (const [, name] of line.matchAll(/\/\*@([\w-]+)\*\//g)) found[name] = index + 1;
    });
  return found;
}

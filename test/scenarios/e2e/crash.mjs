// A server that dies in the way that its argument says, some with requests in flight: `node crash.mjs WAY [without]`; a line on stdin makes it
// exit outside of any request, or do what else the way says.
// Prints its port, and, where it is about to end by itself, the time of that.
import http from 'node:http';
import { setTimeout as sleep } from 'node:timers/promises';
import { checkpoint, watchServer } from '@hangwatch/core';

const [way, variant] = process.argv.slice(2);

class PaymentError extends Error {}
const fail = () => {
  throw new PaymentError('card 4111 1111 1111 1111');
};
const end = () => process.stdout.write(`${JSON.stringify({ endsAt: Date.now() })}\n`);

const ways = {
  uncaught() {
    end();
    setImmediate(fail);
  },
  caught() {
    process.on('uncaughtException', () => {
      end();
      process.exit(3);
    });
    setImmediate(fail);
  },
  swallowed() {
    process.once('uncaughtException', () => {
      end();
      server.close();
      server.closeAllConnections();
      setTimeout(() => process.exit(0), 200);
    });
    setImmediate(fail);
  },
  rejection() {
    end();
    void Promise.reject(new PaymentError('card 4111 1111 1111 1111'));
  },
  exit() {
    end();
    process.exit(0);
  },
  async 'exit-5'() {
    await null;
    end();
    process.exit(5);
  },
  // A deploy: whoever waits is answered, and then the process exits.
  answered() {
    let left = waiting.size;
    for (const response of waiting) {
      response.end('late').once('close', () => {
        left -= 1;
        if (left > 0) return;
        end();
        process.exit(0);
      });
    }
  },
  'watchdog-dies': () => void watchdog.terminate(),
  abort: () => process.abort(),
  oom() {
    const kept = [];
    for (;;) kept.push(new Array(10_000).fill(kept.length));
  },
};

process.stdin.once('data', ways[way] ?? ways['exit']).unref?.();
let watchdog;
process.once('worker', (worker) => {
  watchdog = worker;
});
const waiting = new Set();
const forALock = () => new Promise(() => undefined);

async function waitForALock() {
  await forALock(); /*@lock*/
}

const server = http.createServer((request, response) => {
  checkpoint('begun');
  if (request.url === '/quick') return response.end('ok');
  if (request.url === '/die') return ways[way]();
  if (request.url === '/wait') {
    response.write('begun');
    return waitForALock();
  }
  if (request.url === '/shutdown') {
    response.end('ok');
    server.close(() => {
      end();
      process.exit(0);
    });
    server.closeIdleConnections();
    return undefined;
  }
  if (request.url === '/events') {
    response.writeHead(200, { 'content-type': 'text/event-stream' });
    response.write(':\n\n');
    return undefined;
  }
  if (request.url === '/heartbeats') {
    response.writeHead(200, { 'content-type': 'text/event-stream' });
    const beat = setInterval(() => response.write(':\n\n'), 100);
    response.on('close', () => clearInterval(beat));
    return undefined;
  }
  waiting.add(response);
  return undefined;
});
if (variant !== 'without')
  watchServer(server, { timeout: 600, scanInterval: 100, ...JSON.parse(process.env.OPTIONS ?? '{}') });
server.listen(0, '127.0.0.1', () => console.log(JSON.stringify({ port: server.address().port, pid: process.pid })));
await sleep(0);

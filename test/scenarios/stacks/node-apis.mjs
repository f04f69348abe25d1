import { execFile, execFileSync } from 'node:child_process';
import dgram from 'node:dgram';
import dns from 'node:dns/promises';
import { EventEmitter, on, once } from 'node:events';
import fs from 'node:fs';
import fsp from 'node:fs/promises';
import http from 'node:http';
import net from 'node:net';
import { tmpdir } from 'node:os';
import path from 'node:path';
import readline from 'node:readline';
import readlinePromises from 'node:readline/promises';
import { PassThrough, Readable, Writable } from 'node:stream';
import { text } from 'node:stream/consumers';
import { finished, pipeline } from 'node:stream/promises';
import { setInterval as every, setTimeout as sleep } from 'node:timers/promises';
import tls from 'node:tls';
import { promisify } from 'node:util';
import { MessageChannel, Worker } from 'node:worker_threads';
import { Pool, fetch as undiciFetch, request as undiciRequest } from 'undici';
import { declare, never, report } from './harness.mjs';

const keep = [];
const kept = (value) => {
  keep.push(value);
  return value;
};

// Answers nothing; /head answers headers and half a body.
const dead = http.createServer((request, response) => {
  if (request.url !== '/head') return;
  response.writeHead(200, { 'content-type': 'application/json', 'content-length': 1000 });
  response.write('{"a":');
});
const deadTcp = net.createServer((socket) => socket.on('error', () => {}));
for (const server of [dead, deadTcp]) await new Promise((resolve) => server.listen(0, '127.0.0.1', resolve));
const base = `http://127.0.0.1:${dead.address().port}`;
const folder = fs.mkdtempSync(path.join(tmpdir(), 'hangwatch-fifo-'));
const fifo = path.join(folder, 'a');
const fifo2 = path.join(folder, 'b');
execFileSync('mkfifo', [fifo, fifo2]);
const udp = dgram.createSocket('udp4');
await new Promise((resolve) => udp.bind(0, '127.0.0.1', resolve));

/** A handler that has been resumed and waits for `inner`, which waits for the interface. */
function api(name, mark, inner, options) {
  declare(
    name,
    [`inner@${mark}`, 'handler@handler'],
    async function handler() {
      await null;
      return /*@handler*/ await inner();
    },
    options,
  );
}

const emitter = new EventEmitter();
api('events.once', 'once', async function inner() {
  /*@once*/ await once(emitter, 'x');
});
api('events.on', 'on', async function inner() {
  for await (const /*@on*/ _ of on(emitter, 'y')) {
    // never
  }
});
api('emitter.once in new Promise', 'emitterOnce', async function inner() {
  /*@emitterOnce*/ await new Promise((resolve) => emitter.once('z', resolve));
});
api('once of an EventTarget', 'eventTarget', async function inner() {
  /*@eventTarget*/ await once(kept(new EventTarget()), 'x');
});
api('for await over a Readable', 'readable', async function inner() {
  for await (const /*@readable*/ _ of new Readable({ read() {} })) {
    // never
  }
});
api('Readable.toArray', 'toArray', async function inner() {
  /*@toArray*/ await new Readable({ read() {} }).toArray();
});
api('Readable.map', 'map', async function inner() {
  /*@map*/ await new Readable({ read() {} }).map((x) => x).toArray();
});
const ownQueue = 'the stream keeps its own queue between the two: V8 has no link';
api(
  'Readable.map(async function that hangs)',
  'mapAsync',
  async function inner() {
    /*@mapAsync*/ await Readable.from([1, 2])
      .map(async function mapper() {
        /*@mapper*/ await never();
      })
      .toArray();
  },
  { other: [['mapper@mapper']], limit: ownQueue },
);
api(
  'Readable.from(async generator)',
  'fromGenerator',
  async function inner() {
    async function* generate() {
      /*@generate*/ await never();
      yield 1;
    }
    for await (const /*@fromGenerator*/ _ of Readable.from(generate())) {
      // never
    }
  },
  { other: [['generate@generate']], limit: ownQueue },
);
api('stream/promises pipeline', 'pipeline', async function inner() {
  /*@pipeline*/ await pipeline(new Readable({ read() {} }), new PassThrough());
});
api(
  'pipeline through an async generator',
  'pipelineGenerator',
  async function inner() {
    async function* transform(chunks) {
      for await (const chunk of chunks) {
        /*@transform*/ await never();
        yield chunk;
      }
    }
    /*@pipelineGenerator*/ await pipeline(Readable.from(['a']), transform, new PassThrough());
  },
  { other: [['transform@transform']], limit: ownQueue },
);
api('stream/promises finished', 'finished', async function inner() {
  /*@finished*/ await finished(new PassThrough());
});
api('stream/consumers text', 'text', async function inner() {
  /*@text*/ await text(new Readable({ read() {} }));
});
api('back-pressure: once drain', 'drain', async function inner() {
  const sink = new Writable({ write() {} });
  if (!sink.write('x'.repeat(1e6))) /*@drain*/ await once(sink, 'drain');
});
api('for await over readline', 'readline', async function inner() {
  for await (const /*@readline*/ _ of readline.createInterface({ input: new PassThrough() })) {
    // never
  }
});
api('readline/promises question', 'question', async function inner() {
  /*@question*/ await readlinePromises.createInterface({ input: new PassThrough() }).question('?');
});
api('web ReadableStream, reader.read()', 'reader', async function inner() {
  /*@reader*/ await new ReadableStream({}).getReader().read();
});
api('web ReadableStream, for await', 'webStream', async function inner() {
  for await (const /*@webStream*/ _ of new ReadableStream({})) {
    // never
  }
});
api('web ReadableStream.pipeTo', 'pipeTo', async function inner() {
  /*@pipeTo*/ await new ReadableStream({}).pipeTo(new WritableStream({}));
});
api('web WritableStream, writer.write()', 'writer', async function inner() {
  /*@writer*/ await new WritableStream({ write: () => never() }).getWriter().write(1);
});
api('web TransformStream', 'webTransform', async function inner() {
  /*@webTransform*/ await new ReadableStream({}).pipeThrough(new TransformStream()).getReader().read();
});
api('new Response(stream).text()', 'response', async function inner() {
  /*@response*/ await new Response(new ReadableStream({})).text();
});
api('timers/promises setTimeout', 'timer', async function inner() {
  /*@timer*/ await sleep(1e8, null, { ref: false });
});
api('timers/promises setInterval', 'interval', async function inner() {
  for await (const /*@interval*/ _ of every(1e8, null, { ref: false })) {
    // never
  }
});
const idleWorker = () => new Worker('setInterval(() => {}, 1000)', { eval: true });
api('message of a worker, once', 'workerOnce', async function inner() {
  /*@workerOnce*/ await once(idleWorker(), 'message');
});
api('message of a worker, new Promise', 'workerPromise', async function inner() {
  const worker = idleWorker();
  /*@workerPromise*/ await new Promise((resolve) => worker.on('message', resolve));
});
api('MessagePort once', 'port', async function inner() {
  const { port1, port2 } = new MessageChannel();
  kept(port2);
  /*@port*/ await once(port1, 'message');
});
api('execFile promisified', 'execFile', async function inner() {
  /*@execFile*/ await promisify(execFile)('sleep', ['5']);
});
api('exit of a child, once', 'childExit', async function inner() {
  /*@childExit*/ await once(execFile('sleep', ['5']), 'exit');
});
api('util.promisify', 'promisify', async function inner() {
  /*@promisify*/ await promisify((_value, callback) => kept(callback))(1);
});
api('fs/promises open', 'open', async function inner() {
  /*@open*/ await fsp.open(fifo2, 'r');
});
api('fs/promises readFile', 'readFile', async function inner() {
  /*@readFile*/ await fsp.readFile(fifo);
});
api('FileHandle.read', 'handleRead', async function inner() {
  const handle = await fsp.open(fifo, fs.constants.O_RDWR);
  /*@handleRead*/ await handle.read(Buffer.alloc(1), 0, 1, null);
});
api('fs.readFile promisified', 'readFilePromisified', async function inner() {
  /*@readFilePromisified*/ await promisify(fs.readFile)(fifo);
});
api('dns/promises Resolver', 'dns', async function inner() {
  const resolver = new dns.Resolver({ timeout: 1e6 });
  resolver.setServers([`127.0.0.1:${udp.address().port}`]);
  /*@dns*/ await resolver.resolve4('x.example');
});
api('http.get in new Promise', 'httpGet', async function inner() {
  /*@httpGet*/ await new Promise((resolve, reject) => http.get(base, resolve).on('error', reject));
});
api('body of http.get, for await', 'httpBody', async function inner() {
  const response = await new Promise((resolve, reject) => http.get(`${base}/head`, resolve).on('error', reject));
  for await (const /*@httpBody*/ _ of response) {
    // never
  }
});
api('global fetch', 'fetch', async function inner() {
  /*@fetch*/ await fetch(base);
});
api('global fetch, body.json()', 'fetchJson', async function inner() {
  const response = await fetch(`${base}/head`);
  /*@fetchJson*/ await response.json();
});
api('global fetch, for await over the body', 'fetchBody', async function inner() {
  const response = await fetch(`${base}/head`);
  for await (const /*@fetchBody*/ _ of response.body) {
    // never
  }
});
api('undici fetch', 'undiciFetch', async function inner() {
  /*@undiciFetch*/ await undiciFetch(base);
});
api('undici request', 'undiciRequest', async function inner() {
  /*@undiciRequest*/ await undiciRequest(base);
});
api('undici request, body.json()', 'undiciJson', async function inner() {
  const { body } = await undiciRequest(`${base}/head`);
  /*@undiciJson*/ await body.json();
});
const pool = new Pool(base, { connections: 1, pipelining: 1 });
api('undici pool, exhausted', 'undiciPool', async function inner() {
  const request = () => pool.request({ path: '/', method: 'GET' });
  /*@undiciPool*/ await Promise.all([request(), request()]);
});
api('TLS handshake', 'tls', async function inner() {
  const socket = tls.connect({ host: '127.0.0.1', port: deadTcp.address().port, rejectUnauthorized: false });
  socket.on('error', () => {});
  /*@tls*/ await once(socket, 'secureConnect');
});
api('Atomics.waitAsync', 'atomics', async function inner() {
  const { value } = Atomics.waitAsync(new Int32Array(new SharedArrayBuffer(4)), 0, 0);
  /*@atomics*/ await value;
});
api('AbortSignal', 'abort', async function inner() {
  /*@abort*/ await once(kept(new AbortController()).signal, 'abort');
});
api('dynamic import', 'import', async function inner() {
  /*@import*/ await import(`./hang-module.mjs?x=${Math.random()}`);
});

await report(import.meta.url, { waitMs: 1200, cleanUp: () => fs.rmSync(folder, { recursive: true }) });

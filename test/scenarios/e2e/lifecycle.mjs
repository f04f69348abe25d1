// One way of living and ending a case, chosen by the first argument; prints one line of JSON.
import diagnosticsChannel from 'node:diagnostics_channel';
import { once } from 'node:events';
import { cpSync, mkdirSync, mkdtempSync, realpathSync, rmSync, symlinkSync } from 'node:fs';
import http from 'node:http';
import { createRequire, syncBuiltinESMExports } from 'node:module';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import workerThreads from 'node:worker_threads';

// The watchdog's thread is nobody's business; to kill it, a test has to catch it as it is made.
const workers = [];
const { Worker } = workerThreads;
workerThreads.Worker = class extends Worker {
  constructor(...args) {
    super(...args);
    workers.push(this);
  }
};
syncBuiltinESMExports();
const { checkpoint, configure, currentRequest, watch, watchServer } = await import('@hangwatch/core');
const { openWatch, recordOf } = await import('@hangwatch/core/adapter');

const problems = [];
const hangs = [];
const options = {
  timeout: 300,
  scanInterval: 30,
  enabled: true,
  collector: 'http://127.0.0.1:9',
  onInternalError: ({ code }) => problems.push(code),
  onHang: (dump) => hangs.push(dump.verdict.evidence),
};
const shared = () => globalThis[Symbol.for('hangwatch.core/1')];
const listen = async (listener, extra = {}) => {
  const server = http.createServer(listener);
  watchServer(server, { ...options, ...extra });
  await new Promise((resolve) => server.listen(0, '127.0.0.1', resolve));
  return server;
};
const get = (server, url = '/') =>
  new Promise((resolve) => {
    const to = { host: '127.0.0.1', port: server.address().port, path: url, agent: false };
    const request = http.get(to, (response) => {
      response.resume();
      response.on('end', () => resolve(response.statusCode));
    });
    request.on('error', (error) => resolve(error.code));
  });
const close = (server) => {
  server.closeAllConnections();
  return new Promise((resolve) => server.close(resolve));
};
const until = async (test) => {
  for (let i = 0; i < 400 && !test(); i++) await sleep(25);
  return test();
};
/** Nobody listens where reports go: that is said, and is not what is asked. */
const said = () => problems.filter((code) => !code.startsWith('HANGWATCH_ERR_DELIVERY'));
const print = (value) => console.log(JSON.stringify(value));

const cases = {
  /** The watchdog dies: said, started again, and it still finds the hang; after three restarts, off. */
  async death() {
    const server = await listen((request, response) => {
      if (request.url === '/ok') response.end();
    });
    await get(server, '/ok');
    await until(() => workers.length === 1);
    await workers[0].terminate();
    await until(() => workers.length === 2);
    get(server, '/hang');
    const found = await until(() => hangs.length > 0);
    print({ found, problems, threads: workers.length });
    await close(server);
  },

  /** A watchdog that dies again and again is given up, and requests are served. The waits between, which get longer, are cut short. */
  async givenUp() {
    const { setTimeout } = globalThis;
    globalThis.setTimeout = (fn, ms, ...args) => setTimeout(fn, Math.min(ms, 50), ...args);
    const server = await listen((_request, response) => response.end('ok'));
    const statuses = [await get(server)];
    for (let i = 0; i < 4; i++) {
      await until(() => workers.length === i + 1);
      await workers[i].terminate();
    }
    await until(() => problems.includes('HANGWATCH_ERR_WATCHDOG_OFF'));
    await sleep(200);
    statuses.push(await get(server));
    print({ statuses, problems, threads: workers.length, tracked: shared().tracker.records.filter(Boolean).length });
    await close(server);
  },

  /** Promises that are not V8's: that is said once, and hangs are found. */
  async zone() {
    await import('zone.js/node');
    const server = await listen((request, response) => {
      if (request.url === '/ok') response.end();
    });
    await get(server, '/ok');
    void get(server, '/hang');
    const found = await until(() => hangs.length > 0);
    print({ found, problems: said() });
    await close(server);
  },

  /** Workers are refused: said once, requests go on as if nothing were there. */
  async refused() {
    workerThreads.Worker = class {
      constructor() {
        throw Object.assign(new Error('Access to this API has been restricted'), { code: 'ERR_ACCESS_DENIED' });
      }
    };
    syncBuiltinESMExports();
    const server = await listen((_request, response) => response.end('ok'));
    const statuses = [await get(server), await get(server)];
    print({ statuses, problems });
    await close(server);
  },

  /** Workers are refused: nothing is kept of the calls that a request makes which stays open, and no request is tracked. */
  async refusedCalls() {
    workerThreads.Worker = class {
      constructor() {
        throw new Error('refused');
      }
    };
    syncBuiltinESMExports();
    let collected = 0;
    const registry = new FinalizationRegistry(() => collected++);
    const call = (port) =>
      new Promise((resolve) => {
        const request = http.get({ host: '127.0.0.1', port, agent: false }, (response) => {
          response.resume().on('end', resolve);
        });
        registry.register(request, 'a call');
      });
    const upstream = http.createServer((_request, response) => response.end('ok'));
    await new Promise((resolve) => upstream.listen(0, '127.0.0.1', resolve));
    const { port } = upstream.address();
    let done;
    const called = new Promise((resolve) => {
      done = resolve;
    });
    const tracked = [];
    const server = await listen(async (_request, response) => {
      tracked.push(shared().tracker.current() !== undefined);
      response.writeHead(200, { 'content-type': 'text/event-stream' }).write(':\n');
      for (let i = 0; i < 25; i++) await Promise.all([call(port), call(port), call(port), call(port)]);
      done();
    });
    http.get({ host: '127.0.0.1', port: server.address().port, agent: false }).on('error', () => undefined);
    await called;
    const free = await until(() => {
      globalThis.gc();
      return collected >= 90;
    });
    const listening = ['http.client.request.start', 'undici:request:create'].filter((name) =>
      diagnosticsChannel.hasSubscribers(name),
    );
    print({ free, tracked, listening, problems });
    await close(server);
    upstream.close();
  },

  /** Labels that vary, and some that are no text. */
  async manyLabels() {
    const labels = [];
    const server = await listen((_request, response) => {
      for (let i = 0; i < 11_000; i++) checkpoint(`order ${i}`);
      const { site } = shared().tracker.current();
      labels.push(site.label, site.place() === undefined);
      checkpoint('order 0');
      labels.push(shared().tracker.current().site.label);
      checkpoint(Object.create(null));
      watch(new Promise(() => undefined), Object.create(null));
      response.end('ok');
    });
    const status = await get(server);
    // Another route still gets a number of its own.
    print({ status, labels, newRoute: shared().tracker.routeId('/new') !== 0, problems });
    await close(server);
  },

  /** A thousand registrations that come and go, and as many as is asked for that serve a request: each starts a thread, and ends it. */
  async startStop() {
    const threads = Number(process.argv[3]);
    const before = process.getActiveResourcesInfo();
    // The pipes of stdin, stdout and stderr are counted once they are used.
    const left = () => process.getActiveResourcesInfo().filter((type) => !before.includes(type) && type !== 'PipeWrap');
    const idle = async () => openWatch({ ...options }).close();
    let started = 0;
    async function serving() {
      const server = await listen((_request, response) => response.end('ok'));
      await get(server);
      await close(server);
      await until(() => shared() === undefined);
      for (const worker of workers.splice(0)) {
        started++;
        if (worker.threadId !== -1) await once(worker, 'exit', { signal: AbortSignal.timeout(10_000) });
      }
    }
    /** The least of some readings: buffers that are free are given back by and by. */
    async function used() {
      let least = Number.POSITIVE_INFINITY;
      for (let i = 0; i < 10; i++) {
        globalThis.gc();
        await sleep(30);
        const { heapUsed, external } = process.memoryUsage();
        least = Math.min(least, heapUsed + external);
      }
      return least;
    }
    async function grownBytesPerCycle(cycle, times) {
      const usedBefore = await used();
      for (let i = 0; i < times; i++) await cycle();
      return Math.round(((await used()) - usedBefore) / times);
    }
    // Code is compiled, caches fill.
    for (let i = 0; i < 100; i++) await idle();
    for (let i = 0; i < 10; i++) await serving();
    const idleGrown = await grownBytesPerCycle(idle, 1_000);
    const servingGrown = await grownBytesPerCycle(serving, threads);
    print({
      started,
      threads: workers.length,
      resources: left(),
      registered: shared() !== undefined,
      idleGrown,
      servingGrown,
    });
  },

  /** After its response a request's record, its promises and what they hold are free; an interval that goes on changes nothing. */
  async memory() {
    const collected = new Set();
    const registry = new FinalizationRegistry((name) => collected.add(name));
    const timers = [];
    let goOn = () => undefined;
    const held = new Promise((resolve) => {
      goOn = resolve;
    });
    const late = async () => {
      await null;
      checkpoint('late');
    };
    const server = await listen(async (request, response) => {
      if (request.url === '/interval') {
        registry.register(request, 'request of the interval');
        timers.push(setInterval(late, 5));
        response.end('ok');
        return;
      }
      if (request.url === '/held') {
        await held;
        response.end('ok');
        return;
      }
      const big = { bytes: new Uint8Array(1e6) };
      const settled = (async () => big)();
      registry.register(big, 'result');
      registry.register(request, 'request');
      registry.register(shared().tracker.current(), 'record');
      const forever = new Promise(() => {});
      registry.register(forever, 'promise');
      (async () => {
        await forever;
      })();
      await settled;
      response.end('ok');
    });
    await get(server, '/plain');
    for (let i = 0; i < 100 && collected.size < 4; i++) {
      globalThis.gc();
      await sleep(20);
    }
    const plain = [...collected].sort();
    await get(server, '/interval');
    const { tracker } = shared();
    await until(() => tracker.records.every((record) => record === undefined));
    // It takes the slot that has become free.
    const next = get(server, '/held');
    await until(() => tracker.records.some((record) => record !== undefined));
    await sleep(50);
    const [cells] = tracker.table.segments;
    const stillTracked = tracker.records.filter((record) => record !== undefined).length;
    const before = [...cells];
    await sleep(100);
    const moved = [...cells].filter((cell, index) => cell !== before[index]).length;
    for (let i = 0; i < 100 && !collected.has('request of the interval'); i++) {
      globalThis.gc();
      await sleep(20);
    }
    const free = collected.has('request of the interval');
    timers.forEach(clearInterval);
    goOn();
    print({ plain, stillTracked, moved, free, status: await next });
    await close(server);
  },

  /** ESM and CommonJS copies share one tracker. */
  async twoCopies() {
    const require = createRequire(import.meta.url);
    const commonjs = require('@hangwatch/core/adapter');
    const esm = openWatch(options);
    const messages = [];
    shared().tracker.problems.report = ({ code, message }) => {
      problems.push(code);
      messages.push(message);
    };
    const other = commonjs.openWatch({ ...options, service: 'another', onHang: () => undefined });
    const registrations = shared().registrations;
    await other.close();
    const afterOne = shared() !== undefined;
    await esm.close();
    print({
      registrations,
      afterOne,
      afterBoth: shared() !== undefined,
      problems,
      messages,
      same: commonjs.openWatch === openWatch,
    });
  },

  /** Two applications in one process: each has thresholds of its own, and the end of one is not that of the other. */
  async twoApplications() {
    const dumps = [];
    const hear = {
      onHang: ({ requests }) => dumps.push(requests.map(({ path, state, timeoutMs }) => ({ path, state, timeoutMs }))),
    };
    const hangs = (request, response) => {
      if (request.url === '/ok') response.end();
    };
    const quick = await listen(hangs, hear);
    const patient = await listen(hangs, { ...hear, timeout: 60_000 });
    const { registrations } = shared();
    get(patient, '/patient');
    get(quick, '/quick');
    await until(() => dumps.length > 0);
    await close(quick);
    const afterOne = { watched: shared() !== undefined, threads: workers.length };
    configure({ timeout: 300 });
    await until(() => dumps.length > 1);
    await close(patient);
    await until(() => shared() === undefined);
    print({ registrations, dumps, afterOne, afterBoth: shared() !== undefined, problems: said() });
  },

  /** Two installations, as two versions of a framework's plugin bring them: what one has entered the other one knows. */
  async twoInstallations() {
    const folder = mkdtempSync(path.join(tmpdir(), 'hangwatch-copies-'));
    const installed = (name) => path.dirname(path.dirname(createRequire(import.meta.url).resolve(name)));
    const core = installed('@hangwatch/core');
    const helpers = path.dirname(
      path.dirname(createRequire(path.join(core, 'package.json')).resolve('@hangwatch/async-hooks-helpers')),
    );
    for (const [from, to] of [
      [core, 'core'],
      [helpers, 'async-hooks-helpers'],
    ]) {
      cpSync(path.join(from, 'dist'), path.join(folder, to, 'dist'), { recursive: true });
      cpSync(path.join(from, 'package.json'), path.join(folder, to, 'package.json'));
    }
    const modules = path.join(folder, 'core/node_modules');
    mkdirSync(path.join(modules, '@hangwatch'), { recursive: true });
    symlinkSync(path.join(folder, 'async-hooks-helpers'), path.join(modules, '@hangwatch/async-hooks-helpers'));
    for (const name of ['undici', 'valibot', '@hangwatch/protocol', '@hangwatch/report']) {
      symlinkSync(realpathSync(path.join(core, 'node_modules', name)), path.join(modules, name));
    }
    try {
      const other = await import(path.join(folder, 'core/dist/index.js'));
      const otherAdapter = await import(path.join(folder, 'core/dist/adapter.js'));
      const seen = {};
      let stack;
      let second;
      const server = await listen(
        async function answer(request, response) {
          seen.entered = second.enter(request, response) !== undefined;
          seen.sameRecord = otherAdapter.recordOf(request) === recordOf(request);
          seen.sameRequest = other.currentRequest()?.id === currentRequest()?.id;
          other.checkpoint('from the other copy');
          await other.watch(new Promise(() => undefined), 'what never comes');
          response.end();
        },
        {
          onHang: ({ requests: [request] }) => {
            stack = {
              functions: request.stacks[0]?.map(({ function: name }) => name),
              at: request.checkpoint.label,
              waits: request.waitsFor.map(({ label }) => label),
            };
          },
        },
      );
      second = otherAdapter.openWatch({ ...options, onHang: undefined });
      get(server, '/');
      await until(() => stack !== undefined);
      print({
        ...seen,
        ...stack,
        registrations: shared().registrations,
        copies: other.checkpoint !== checkpoint,
        problems: said(),
      });
      await close(server);
      await second.close();
    } finally {
      rmSync(folder, { recursive: true, force: true });
    }
  },

  /** Callbacks of the application that throw break nothing. */
  async callbacks() {
    const throws = () => {
      throw new Error('application');
    };
    const server = await listen(
      (request, response) => {
        if (request.url !== '/hang') response.end('ok');
      },
      { onHang: throws, routeName: throws, ignore: throws },
    );
    const status = await get(server, '/ok');
    get(server, '/hang');
    await until(() => problems.filter((code) => code === 'HANGWATCH_ERR_CALLBACK').length >= 4);
    print({ status, problems: [...new Set(problems)] });
    await close(server);
  },
};

await cases[process.argv[2]]();

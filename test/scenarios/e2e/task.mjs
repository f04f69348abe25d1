// Tasks of one kind, chosen by the first argument, in a process without a server unless the case makes one. Reports go where the environment
// says. Prints one line of JSON.
import http from 'node:http';
import { setTimeout as sleep } from 'node:timers/promises';
import { configure, currentRequest, watchServer, watchTask } from '@hangwatch/core';

/** The numbers of the lines that end in `// NAME`. */
const { readFileSync } = await import('node:fs');
const lines = {};
for (const [index, text] of readFileSync(new URL(import.meta.url), 'utf8')
  .split('\n')
  .entries()) {
  const mark = /\/\/ (HERE \w+)$/.exec(text)?.[1];
  if (mark !== undefined) lines[mark.slice(5)] = index + 1;
}
const print = (value) => console.log(JSON.stringify(value));
/** A promise, and what settles it. */
const open = () => {
  const parts = {};
  parts.promise = new Promise((resolve, reject) => Object.assign(parts, { resolve, reject }));
  return parts;
};
const never = () => new Promise(() => undefined);
const untilTold = () => new Promise((resolve) => process.stdin.once('data', resolve));
const outcomeOf = (promise) =>
  promise.then(
    (value) => ['fulfilled', value],
    (error) => ['rejected', error.message],
  );

async function sendReports() {
  await never(); // HERE hang
}

const cases = {
  /** A cron job whose caller awaits it: a stack of its own, that ends with the job. */
  async hang() {
    setInterval(() => undefined, 1_000);
    const runJobs = async () => {
      await watchTask('nightly report', sendReports);
    };
    void runJobs();
    print(lines);
  },

  /** Stuck until told, then ends as asked. */
  async late(how) {
    const gate = open();
    const job = watchTask('late', async () => {
      await gate.promise;
      return 42;
    });
    print(lines);
    await untilTold();
    gate[how](how === 'resolve' ? undefined : new Error('no'));
    print(await outcomeOf(job));
    setInterval(() => undefined, 1_000);
  },

  /** In a request of a server: two records, each with its own context. */
  async request() {
    const server = http.createServer(async (_request, response) => {
      const outer = currentRequest()?.id;
      const job = watchTask('audit', async () => {
        response.setHeader('x-inner', String(currentRequest()?.id));
        await never(); // HERE audit
      });
      response.setHeader('x-outer', String(outer));
      response.setHeader('x-after', String(currentRequest()?.id));
      response.flushHeaders();
      await job; // HERE outer
    });
    watchServer(server, { timeout: 300, scanInterval: 30 });
    await new Promise((resolve) => server.listen(0, '127.0.0.1', resolve));
    http.get({ host: '127.0.0.1', port: server.address().port }, ({ headers }) =>
      print({ ...lines, headers: [headers['x-outer'], headers['x-inner'], headers['x-after']] }),
    );
  },

  async nested() {
    setInterval(() => undefined, 1_000);
    void watchTask('outer', async () => {
      await watchTask('inner', async () => {
        await never(); // HERE inner
      });
    });
    print(lines);
  },

  /** What comes back, and what is left behind. */
  async results() {
    const thenable = {
      get then() {
        throw new Error('touched');
      },
    };
    const thrown = () => {
      throw new Error('sync');
    };
    const results = {
      value: watchTask('a', () => 7),
      thenable: watchTask('b', () => thenable) === thenable,
      thrown: await outcomeOf(new Promise((resolve) => resolve(watchTask('c', thrown)))),
      fulfilled: await outcomeOf(watchTask('d', async () => 8)),
      rejected: await outcomeOf(
        watchTask('e', async () => {
          throw new Error('async');
        }),
      ),
      current: watchTask('f', () => currentRequest()?.route),
      wrongOptions: watchTask('g', () => 9, { timeout: -1 }),
      symbol: watchTask(Symbol('h'), () => 10),
    };
    const { tracker, registrations } = globalThis[Symbol.for('hangwatch.core/1')];
    const inFlight = tracker.records.filter((record) => record !== undefined).length;
    print({ ...results, registrations, inFlight });
  },

  /** Nobody handles it: the process ends by it, as without hangwatch. */
  async unhandled() {
    process.on('unhandledRejection', (reason) => print({ unhandled: reason.message }));
    const job = watchTask('bad', async () => {
      throw new Error('nobody');
    });
    watchTask('handled', async () => {
      throw new Error('handled');
    }).catch(() => undefined);
    print({ isPromise: job instanceof Promise });
    await sleep(50);
  },

  /** A task hangs, and once it is told nothing else is alive. */
  async exits() {
    void watchTask('nightly report', sendReports);
    print(lines);
    await untilTold();
    process.stdin.destroy();
  },

  /** The server that opened hangwatch closes first: the task is still watched. */
  async outlives() {
    const server = http.createServer();
    watchServer(server, { timeout: 300, scanInterval: 30 });
    await new Promise((resolve) => server.listen(0, '127.0.0.1', resolve));
    const gate = open();
    const job = watchTask('drain', () => gate.promise);
    await new Promise((resolve) => server.close(resolve));
    await sleep(0);
    const shared = () => globalThis[Symbol.for('hangwatch.core/1')];
    const during = shared()?.registrations;
    await untilTold();
    gate.resolve();
    await job;
    print({ during, after: shared() === undefined });
  },

  /** Other thresholds: of the call, of `configure`, none. */
  async options() {
    setInterval(() => undefined, 1_000);
    void watchTask('unwatched', sendReports, false);
    void watchTask('patient', sendReports, { timeout: 100_000 });
    void watchTask('configured', sendReports, { timeout: 100_000 });
    void watchTask('still patient', sendReports, { timeout: 100_000 });
    configure({ routes: { 'TASK configured': { timeout: 200 } } });
    print(lines);
  },

  async disabled() {
    const promise = Promise.resolve(1);
    print({
      same: watchTask('a', () => promise) === promise,
      tracker: globalThis[Symbol.for('hangwatch.core/1')] === undefined,
    });
  },
};

const [name, ...args] = process.argv.slice(2);
await cases[name](...args);

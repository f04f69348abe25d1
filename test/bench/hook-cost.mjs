// What an await costs: without anything, with AsyncLocalStorage alone, with the hooks and the list of outstanding awaits on top.
// usage: node test/bench/hook-cost.mjs [--json] [--rounds=9]
// Each number is a median over rounds; in a round every way runs once, in a process of its own, so that drift of the machine hits all.
import { spawnSync } from 'node:child_process';
import { fileURLToPath } from 'node:url';

const WAYS = ['none', 'als', 'tracked'];
const REQUESTS = 15_000;
const AWAITS = 12;

/** Twelve awaits each, of the kinds that applications have. */
const leaf = async (i) => i + 1;
const ready = Promise.resolve(1);
const WORK = {
  'async functions': async function handler() {
    let x = 0;
    for (let i = 0; i < 4; i++) x = await middle(x);
    return x;
  },
  'await value': async function handler() {
    let x = 0;
    for (let i = 0; i < AWAITS; i++) x = await i;
    return x;
  },
  'shared, settled': async function handler() {
    let x = 0;
    for (let i = 0; i < AWAITS; i++) x = await ready;
    return x;
  },
  'then chains': function handler() {
    let chain = Promise.resolve(0);
    for (let i = 0; i < AWAITS; i++) chain = chain.then((x) => x + 1);
    return chain;
  },
};
async function middle(i) {
  const a = await leaf(i);
  return await leaf(a);
}

async function measure(way, work) {
  const { AsyncLocalStorage } = await import('node:async_hooks');
  const { AwaitTracker, AwaitContext } = await import('@hangwatch/async-hooks-helpers');
  const cells = new Uint32Array(new SharedArrayBuffer(4096));
  const storage = new AsyncLocalStorage();
  const tracker =
    way === 'tracked' ? AwaitTracker.install({ clock: new Uint32Array(new SharedArrayBuffer(4)) }) : undefined;
  const loops = {
    async none(n) {
      for (let i = 0; i < n; i++) await work();
    },
    async als(n) {
      for (let i = 0; i < n; i++) await storage.run({ id: i }, work);
    },
    async tracked(n) {
      for (let i = 0; i < n; i++) {
        const context = new AwaitContext(cells, i & 1023);
        await tracker.run(context, work);
        context.release();
      }
    },
  };
  const run = loops[way];
  await run(REQUESTS);
  const samples = [];
  for (let k = 0; k < 5; k++) {
    const start = process.hrtime.bigint();
    await run(REQUESTS);
    samples.push(Number(process.hrtime.bigint() - start) / REQUESTS / AWAITS);
  }
  return Math.min(...samples);
}

const median = (numbers) => numbers.sort((a, b) => a - b)[numbers.length >> 1];

const [, , ...args] = process.argv;
if (args[0] === '--child') {
  console.log(await measure(args[1], WORK[args[2]]));
  process.exit(0);
}
const rounds = Number(args.find((x) => x.startsWith('--rounds='))?.slice(9) ?? 9);
const self = fileURLToPath(import.meta.url);
const samples = Object.fromEntries(
  Object.keys(WORK).map((work) => [work, Object.fromEntries(WAYS.map((way) => [way, []]))]),
);
for (let round = 0; round < rounds; round++) {
  for (const work of Object.keys(WORK)) {
    for (const way of WAYS) {
      const child = spawnSync(process.execPath, [self, '--child', way, work], { encoding: 'utf8' });
      if (child.status !== 0) throw new Error(`${way}, ${work}: ${child.stderr}`);
      samples[work][way].push(Number(child.stdout));
    }
  }
}
const rows = Object.entries(samples).map(([work, ways]) => {
  const [none, als, tracked] = WAYS.map((way) => Math.round(median(ways[way])));
  return { work, none, als, tracked, added: tracked - als };
});
if (args.includes('--json')) console.log(JSON.stringify({ node: process.version, rounds, nsPerAwait: rows }));
else {
  console.log(`ns per await, medians of ${rounds} rounds, Node ${process.version}`);
  console.log(
    'kind of await'.padEnd(18),
    'none'.padStart(6),
    'ALS'.padStart(6),
    'hooks and list'.padStart(15),
    'added to ALS'.padStart(13),
  );
  for (const row of rows) {
    console.log(
      row.work.padEnd(18),
      String(row.none).padStart(6),
      String(row.als).padStart(6),
      String(row.tracked).padStart(15),
      String(row.added).padStart(13),
    );
  }
}

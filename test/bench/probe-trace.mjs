// Does probing leave a trace? Speed of promises in a process after thousands of probes, against one that never probed.
// usage: node test/bench/probe-trace.mjs [--json] [--rounds=9] [--probes=20000]
// In a round each way runs once, in a process of its own; the ratio is of the medians. `by constructor` is the control: a probe done the
// wrong way (a `constructor` of its own on the derived promise) makes every promise of the process slower for ever.
import { spawnSync } from 'node:child_process';
import { fileURLToPath } from 'node:url';

const WAYS = ['none', 'probes', 'by constructor'];
const leaf = async (i) => i + 1;
const then = (i) => Promise.resolve(i).then((x) => x + 1);
async function work(n) {
  let x = 0;
  for (let i = 0; i < n; i++) {
    x = await leaf(x);
    x = await then(x);
    await Promise.all([leaf(1), then(2)]);
  }
  return x;
}

const kept = [];
let pending;
async function hung() {
  pending = new Promise((resolve) => kept.push(resolve));
  await pending;
}

async function leave(way, probes) {
  const { awaitStackOf } = await import('@hangwatch/async-hooks-helpers');
  (async function outer() {
    await hung();
  })();
  if (way === 'probes') {
    for (let i = 0; i < probes; i++) if (awaitStackOf(pending).length !== 2) throw new Error('the probe found nothing');
  }
  if (way === 'by constructor') {
    const promise = Promise.resolve();
    promise.constructor = { [Symbol.species]: Promise };
    await promise.then((x) => x);
  }
}

const median = (numbers) => numbers.sort((a, b) => a - b)[numbers.length >> 1];

const [, , ...args] = process.argv;
const option = (name, fallback) => Number(args.find((x) => x.startsWith(`--${name}=`))?.split('=')[1] ?? fallback);
const probes = option('probes', 20_000);
if (args[0] === '--child') {
  await work(50_000);
  await leave(args[1], probes);
  // Whatever the way took, the compiler has caught up by now.
  await new Promise((resolve) => setTimeout(resolve, 300));
  await work(50_000);
  const samples = [];
  for (let k = 0; k < 7; k++) {
    const start = performance.now();
    await work(50_000);
    samples.push(performance.now() - start);
  }
  console.log(Math.min(...samples));
  process.exit(0);
}
const rounds = option('rounds', 9);
const samples = Object.fromEntries(WAYS.map((way) => [way, []]));
for (let round = 0; round < rounds; round++) {
  for (const way of WAYS) {
    const child = spawnSync(process.execPath, [fileURLToPath(import.meta.url), '--child', way, `--probes=${probes}`], {
      encoding: 'utf8',
    });
    if (child.status !== 0) throw new Error(`${way}: ${child.stderr}`);
    samples[way].push(Number(child.stdout));
  }
}
const none = median(samples.none);
const ratios = Object.fromEntries(WAYS.map((way) => [way, Number((median(samples[way]) / none).toFixed(3))]));
if (args.includes('--json')) console.log(JSON.stringify({ node: process.version, rounds, probes, ratios }));
else {
  console.log(
    `time for the same promises, against a process without probes; medians of ${rounds} rounds, Node ${process.version}`,
  );
  for (const way of WAYS)
    console.log(`${way === 'probes' ? `${probes} probes` : way}`.padEnd(18), ratios[way].toFixed(3));
}

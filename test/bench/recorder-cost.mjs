// What the flight recorder costs the main thread: entering and leaving a request, and a checkpoint, with it and with its writes left out, in
// turn in every round, each in a process of its own. Each writes one entry: the difference is what an entry costs.
// usage: node test/bench/recorder-cost.mjs [--rounds=15] [--node=PATH]
import { spawnSync } from 'node:child_process';
import { EventEmitter } from 'node:events';
import { fileURLToPath } from 'node:url';

const REQUESTS = 30_000;
const CALLS = 300_000;
const self = fileURLToPath(import.meta.url);
const option = (name, fallback) =>
  process.argv.find((x) => x.startsWith(`--${name}=`))?.slice(name.length + 3) ?? fallback;

function best(work) {
  let least = Number.POSITIVE_INFINITY;
  for (let i = 0; i < 9; i++) {
    const began = process.hrtime.bigint();
    const count = work();
    least = Math.min(least, Number(process.hrtime.bigint() - began) / count);
  }
  return least;
}

async function measure(variant) {
  const core = new URL('../../packages/core/dist/', import.meta.url);
  const { checkpoint } = await import(new URL('index.js', core));
  const { openWatch } = await import(new URL('adapter.js', core));
  const watch = openWatch({ enabled: true, timeout: 600_000 });
  const exchange = () => [
    { method: 'GET', url: '/', headers: {}, httpVersionMajor: 1 },
    Object.assign(new EventEmitter(), { destroyed: false, writableFinished: false }),
  ];
  const [request, response] = exchange();
  const record = watch.enter(request, response);
  if (variant === 'without') {
    const { recorder } = record.owner;
    for (const name of ['requestEnded', 'checkpoint', 'outboundEnded', 'loopLag']) recorder[name] = () => undefined;
  }
  record.setRoute('/orders/:id');
  const result = {};
  watch.run(record, () => {
    result.checkpoint = best(() => {
      for (let i = 0; i < CALLS; i++) checkpoint('one');
      return CALLS;
    });
  });
  record.leave(true);
  result.request = best(() => {
    for (let i = 0; i < REQUESTS; i++) watch.enter(...exchange()).leave(true);
    return REQUESTS;
  });
  await watch.close();
  return result;
}

if (process.argv[2] === '--child') {
  console.log(JSON.stringify(await measure(process.argv[3])));
} else {
  const node = option('node', process.execPath);
  const rounds = Number(option('rounds', 15));
  const median = (numbers) => [...numbers].sort((a, b) => a - b)[numbers.length >> 1];
  const text = (number) => number.toFixed(1).padStart(8);
  const variants = ['without', 'with'];
  const samples = { without: [], with: [] };
  for (let round = 0; round < rounds; round++) {
    // Another order in each round: whoever comes first finds the machine cooler.
    for (const variant of round % 2 === 0 ? variants : [...variants].reverse()) {
      const child = spawnSync(node, [self, '--child', variant], { encoding: 'utf8' });
      if (child.status !== 0) throw new Error(child.stderr);
      samples[variant].push(JSON.parse(child.stdout));
    }
  }
  console.log(
    `nanoseconds, medians of ${rounds} rounds (an entry: of the differences in each), ${spawnSync(node, ['-v'], { encoding: 'utf8' }).stdout.trim()}`,
  );
  for (const name of ['request', 'checkpoint']) {
    const [without, with_] = variants.map((variant) => samples[variant].map((each) => each[name]));
    const entry = median(with_.map((value, round) => value - without[round]));
    console.log(
      `  ${name.padEnd(10)} without ${text(median(without))}  with ${text(median(with_))}  an entry ${text(entry)}  ratio ${(median(with_) / median(without)).toFixed(3)}`,
    );
  }
}

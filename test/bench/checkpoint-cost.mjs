// What checkpoint() costs: outside a request, in one, with data; and what a request's trail adds to entering and leaving.
// usage: node test/bench/checkpoint-cost.mjs [--rounds=9] [--core=FOLDER] [--other=FOLDER]
// FOLDER is a built packages/core; with two, both are measured in turn in every round, each in a process of its own.
import { spawnSync } from 'node:child_process';
import { EventEmitter } from 'node:events';
import path from 'node:path';
import { fileURLToPath, pathToFileURL } from 'node:url';

const CALLS = 300_000;
const REQUESTS = 30_000;
const self = fileURLToPath(import.meta.url);
const option = (name, fallback) =>
  process.argv.find((x) => x.startsWith(`--${name}=`))?.slice(name.length + 3) ?? fallback;

function best(work) {
  let least = Number.POSITIVE_INFINITY;
  for (let i = 0; i < 7; i++) {
    const began = process.hrtime.bigint();
    const count = work();
    least = Math.min(least, Number(process.hrtime.bigint() - began) / count);
  }
  return least;
}

async function measure(folder) {
  const load = (file) => import(pathToFileURL(path.join(folder, 'dist', file)));
  const [{ checkpoint }, { openWatch }] = await Promise.all([load('index.js'), load('adapter.js')]);
  const watch = openWatch({ enabled: true, timeout: 600_000 });
  const exchange = () => [
    { method: 'GET', url: '/', headers: {}, httpVersionMajor: 1 },
    Object.assign(new EventEmitter(), { destroyed: false, writableFinished: false }),
  ];
  const labels = ['one', 'two', 'three', 'four'];
  const call = () => {
    for (let i = 0; i < CALLS; i++) checkpoint(labels[i & 3]);
    return CALLS;
  };
  const withData = () => {
    for (let i = 0; i < CALLS; i++) checkpoint(labels[i & 3], { orderId: i, state: 'paid' });
    return CALLS;
  };
  const result = { outside: best(call) };
  const [request, response] = exchange();
  const record = watch.enter(request, response);
  watch.run(record, () => {
    result.inside = best(call);
    result.withData = best(withData);
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
  const folders = [
    option('core', fileURLToPath(new URL('../../packages/core', import.meta.url))),
    option('other'),
  ].filter((folder) => folder !== undefined);
  const rounds = Number(option('rounds', 9));
  const median = (numbers) => numbers.sort((a, b) => a - b)[numbers.length >> 1];
  const samples = folders.map(() => []);
  for (let round = 0; round < rounds; round++) {
    for (const [i, folder] of folders.entries()) {
      const child = spawnSync(process.execPath, [self, '--child', folder], { encoding: 'utf8' });
      if (child.status !== 0) throw new Error(child.stderr);
      samples[i].push(JSON.parse(child.stdout));
    }
  }
  console.log(`nanoseconds, medians of ${rounds} rounds, Node ${process.version}`);
  for (const [i, folder] of folders.entries()) {
    console.log(folder);
    for (const name of Object.keys(samples[i][0])) {
      console.log(
        `  ${name.padEnd(10)} ${median(samples[i].map((each) => each[name]))
          .toFixed(1)
          .padStart(8)}`,
      );
    }
  }
}

// What a lock costs that tells hangwatch of itself: acquire and release with and without, nobody waiting and everybody waiting.
// usage: node test/bench/resource-cost.mjs [--rounds=7] [--core=FOLDER]
// FOLDER is a built packages/core. Each figure is the median of rounds in processes of their own; the variants take turns.
import { spawnSync } from 'node:child_process';
import { EventEmitter } from 'node:events';
import path from 'node:path';
import { fileURLToPath, pathToFileURL } from 'node:url';

const PAIRS = 200_000;
const self = fileURLToPath(import.meta.url);
const option = (name, fallback) =>
  process.argv.find((each) => each.startsWith(`--${name}=`))?.slice(name.length + 3) ?? fallback;
const core = option('core', fileURLToPath(new URL('../../packages/core', import.meta.url)));

/** A lock of 20 lines, as applications have them. */
class Lock {
  #held = false;
  #queue = [];

  acquire() {
    if (!this.#held) {
      this.#held = true;
      return Promise.resolve();
    }
    return new Promise((resolve) => this.#queue.push(resolve));
  }

  release() {
    const next = this.#queue.shift();
    if (next === undefined) this.#held = false;
    else next();
  }
}

/** The same, known to hangwatch. */
class KnownLock extends Lock {
  #resource;

  constructor(resource) {
    super();
    this.#resource = resource;
  }

  async use(work) {
    const claim = this.#resource.claim();
    await claim.waitsFor(super.acquire());
    claim.acquired();
    work();
    super.release();
    claim.end();
  }
}

class PlainLock extends Lock {
  async use(work) {
    await super.acquire();
    work();
    super.release();
  }
}

const nothing = () => undefined;

async function alone(lock) {
  for (let i = 0; i < PAIRS; i++) await lock.use(nothing);
}

async function contended(lock) {
  for (let i = 0; i < PAIRS; i += 100) await Promise.all(Array.from({ length: 100 }, () => lock.use(nothing)));
}

async function measure(tracked) {
  const load = (file) => import(pathToFileURL(path.join(core, 'dist', file)));
  const [{ resource }, { openWatch }] = await Promise.all([load('index.js'), load('adapter.js')]);
  const watch = tracked ? openWatch({ enabled: true, timeout: 600_000, blockedLoop: false }) : undefined;
  const request = { method: 'GET', url: '/', headers: {}, httpVersionMajor: 1 };
  const response = Object.assign(new EventEmitter(), { destroyed: false, writableFinished: false });
  const record = watch?.enter(request, response);
  const run = (fn) => (record === undefined ? fn() : watch.run(record, fn));
  const time = async (work, lock) => {
    let least = Number.POSITIVE_INFINITY;
    for (let i = 0; i < 5; i++) {
      const began = process.hrtime.bigint();
      await run(() => work(lock));
      least = Math.min(least, Number(process.hrtime.bigint() - began) / PAIRS);
    }
    return least;
  };
  const known = new KnownLock(resource('lock'));
  const result = {};
  for (const lock of [new PlainLock(), known]) for (const work of [alone, contended]) await run(() => work(lock));
  for (const work of [alone, contended]) {
    result[`${work.name}, plain`] = await time(work, new PlainLock());
    result[`${work.name}, known`] = await time(work, known);
  }
  record?.leave(true);
  await watch?.close();
  return result;
}

if (process.argv[2] === '--child') {
  console.log(JSON.stringify(await measure(process.argv[3] === 'tracked')));
  process.exit(0);
}

const rounds = Number(option('rounds', 7));
const median = (numbers) => numbers.sort((a, b) => a - b)[numbers.length >> 1];
const samples = new Map([
  ['in a request', []],
  ['without hangwatch', []],
]);
for (let round = 0; round < rounds; round++) {
  for (const [where, list] of samples) {
    const mode = where === 'in a request' ? 'tracked' : 'untracked';
    const child = spawnSync(process.execPath, [self, '--child', mode, `--core=${core}`], { encoding: 'utf8' });
    if (child.status !== 0) throw new Error(child.stderr);
    list.push(JSON.parse(child.stdout));
  }
}
console.log(`nanoseconds for one acquire and release, medians of ${rounds} rounds, Node ${process.version}`);
for (const [where, list] of samples) {
  console.log(where);
  for (const name of Object.keys(list[0]))
    console.log(
      `  ${name.padEnd(18)} ${median(list.map((each) => each[name]))
        .toFixed(0)
        .padStart(6)}`,
    );
}

// Which requests would the rule "the own chain has not changed for the timeout" call stuck?
import { Readable } from 'node:stream';
import { setTimeout as sleep } from 'node:timers/promises';
import { Mutex } from 'async-mutex';
import pLimit from 'p-limit';
import PQueue from 'p-queue';
import { begin, check, clock, collect, never, print } from './harness.mjs';

const TIMEOUT_MS = 400;
async function work() {
  for (;;) await sleep(5);
}
const requests = [];
/** `verdict`: moves (the own chain is young), stuck (nothing young at all), stalled (own chain old, other work in its context young). */
const request = (name, verdict, handler) => requests.push({ name, verdict, context: begin(handler) });

request('polling loop', 'moves', async function handler() {
  await work();
});
request('polling loop, a hung consumer beside it', 'moves', async function handler() {
  (async function consumer() {
    await never();
  })();
  await work();
});
request('hung, nothing beside it', 'stuck', async function handler() {
  await never();
});
request('hung, a background loop beside it', 'stalled', async function handler() {
  work();
  await never();
});
request('p-limit job that works', 'stalled', async function handler() {
  await pLimit(1)(work);
});
request('p-queue job that works', 'stalled', async function handler() {
  await new PQueue({ concurrency: 1 }).add(work);
});
request('mutex job that works', 'stalled', async function handler() {
  await new Mutex().runExclusive(work);
});
request('new Promise(async executor) that works', 'stalled', async function handler() {
  const executor = async (resolve) => resolve(await work());
  await new Promise(executor);
});
request('Promise.all, one works, one hung', 'moves', async function handler() {
  await Promise.all([work(), never()]);
});
request('for await over Readable.from(slow generator)', 'moves', async function handler() {
  async function* rows() {
    for (;;) {
      await sleep(5);
      yield 1;
    }
  }
  for await (const _ of Readable.from(rows())) {
    // goes on
  }
});
request('callbacks work, the handler waits for them', 'stuck', async function handler() {
  await new Promise((resolve) => {
    let left = 1e9;
    const step = () => (left-- > 0 ? setTimeout(step, 5).unref() : resolve());
    step();
  });
});

const start = performance.now();
const ticking = setInterval(() => {
  clock[0] = performance.now() - start;
}, 5);
await sleep(800);
clearInterval(ticking);
const { stacks } = collect(requests.map((x) => x.context));
for (const { name, verdict, context } of requests) {
  const all = stacks.get(context);
  const youngest = (list) => Math.min(...list.map((stack) => stack.ageMs));
  const own = youngest(all.filter((stack) => stack.own));
  const other = youngest(all.filter((stack) => !stack.own));
  check(name, own < TIMEOUT_MS ? 'moves' : other < TIMEOUT_MS ? 'stalled' : 'stuck', verdict);
}
print();

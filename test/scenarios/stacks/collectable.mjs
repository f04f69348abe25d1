// What is free for collection, and when. Run with --expose-gc.
import { setTimeout as sleep } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { AwaitContext, ownAwait, sampleFirstWaiters } from '@hangwatch/async-hooks-helpers';
import { cleanUp, everythingWaits, resumable, unresolvable } from './collectable-kinds.mjs';
import { begin, check, collect, marksOf, never, print, tracker } from './harness.mjs';

const marks = marksOf(fileURLToPath(import.meta.url));
const collected = new Set();
const registry = new FinalizationRegistry((name) => collected.add(name));
const watch = (value, name) => {
  registry.register(value, name);
  return value;
};
async function collectGarbage() {
  for (let i = 0; i < 5; i++) {
    await sleep(5);
    globalThis.gc();
  }
  await sleep(5);
}

// ---- one hung of a thousand: it is found, and what the others gave is free while the request still runs
let found;
const crowd = begin(async function handler() {
  const item = async (i) => {
    await sleep(1);
    if (i === 3) /*@hung*/ await never();
    return i;
  };
  /*@all*/ await Promise.all(Array.from({ length: 1000 }, (_, i) => item(i)));
});
const step = begin(async function handler() {
  const load = async () => {
    const big = watch({ rows: new Array(1000).fill(0) }, 'settled result');
    await sleep(1);
    return big.rows.length;
  };
  await load();
  await Promise.resolve(watch({}, 'value of a then chain')).then((x) => Object.keys(x).length);
  await never();
});
await sleep(50);
await collectGarbage();
found = collect([crowd]).stacks.get(crowd);
check(
  'one hung of 1,000 in Promise.all',
  found.map((stack) => [stack.own, stack.frames.map((frame) => [frame.function, frame.promiseIndex ?? frame.line])]),
  [
    [
      true,
      [
        ['item', marks.get('hung').line],
        ['Promise.all', 3],
        ['handler', marks.get('all').line],
      ],
    ],
  ],
);
check('and nothing else is outstanding', crowd.outstanding < 10, true);
check(
  'what has settled is collected while the request runs',
  [collected.has('settled result'), collected.has('value of a then chain')],
  [true, true],
);
check('the request still runs', step.outstanding > 0, true);

// ---- a context whose request has ended
function finished() {
  const context = watch(new AwaitContext(new Uint32Array(1), 0), 'released context');
  tracker.run(context, () => {
    ownAwait(
      (async function handler() {
        await (async () => {
          await watch(new Promise(() => {}), 'abandoned promise');
        })();
      })(),
    );
  });
  sampleFirstWaiters(context);
  collect([context]);
  context.release();
}
finished();
await collectGarbage();
check(
  'after release, context and abandoned promises are collected',
  [collected.has('released context'), collected.has('abandoned promise')],
  [true, true],
);

// ---- without release too: nothing global holds a context
function forgotten() {
  const context = watch(new AwaitContext(new Uint32Array(1), 0), 'context never released');
  tracker.run(context, () => {
    (async () => {
      await new Promise(() => {});
    })();
  });
}
forgotten();
await collectGarbage();
check('a context that nobody releases is collected with its promises', collected.has('context never released'), true);

// ---- a live promise that a released request awaited keeps nothing of it
const cached = never();
const cachedElsewhere = begin(async function other() {
  await cached;
});
const elsewhere = cachedElsewhere.outstanding;
function awaitsCached() {
  class Record extends AwaitContext {
    payload = watch({ body: 'x' }, 'payload of a record');
  }
  const record = watch(new Record(new Uint32Array(1), 0), 'record that awaited a cached promise');
  tracker.run(record, () => {
    ownAwait(
      (async function handler() {
        await cached;
      })(),
    );
  });
  return record;
}
{
  let record = awaitsCached();
  sampleFirstWaiters(record);
  record.release();
  record.payload = undefined;
  record = undefined;
}
await collectGarbage();
check('fields of a released record are collected', collected.has('payload of a record'), true);
check('the other waiter is as it was', cachedElsewhere.outstanding, elsewhere);

// ---- an interval that outlives its request keeps the empty record, not what hung on it
let outliving;
function leavesInterval() {
  class Record extends AwaitContext {
    payload = watch({ body: 'x' }, 'payload under an interval');
  }
  const record = watch(new Record(new Uint32Array(1), 0), 'record under an interval');
  tracker.run(record, () => {
    outliving = setInterval(async () => {
      await null;
      await watch(new Promise(() => {}), 'promise under an interval');
    }, 1);
  });
  return record;
}
{
  let record = leavesInterval();
  await sleep(10);
  record.release();
  record.payload = undefined;
  record = undefined;
}
await collectGarbage();
check(
  'the interval beats on, and retains nothing',
  [collected.has('payload under an interval'), collected.has('promise under an interval')],
  [true, true],
);
clearInterval(outliving);
outliving = undefined;
await collectGarbage();
check('and with it the record goes', collected.has('record under an interval'), true);

// ---- the handler's promise is free as soon as the context is released: what can't be resumed can be proven so
const settled = [];
const observer = { ownFulfilled: (at) => settled.push(at), ownRejected: (at) => settled.push(at) };
function hungHandler([name, body], at) {
  const context = new AwaitContext(new Uint32Array(1), 0);
  tracker.run(context, () => {
    const promise = watch(body(), name);
    ownAwait(promise, observer, at);
  });
  return context;
}
const hung = [...Object.entries(unresolvable), ...Object.entries(resumable)].map(hungHandler);
await everythingWaits();
await collectGarbage();
const collectedOf = (bodies) => Object.keys(bodies).filter((name) => collected.has(name));
check('while outstanding nothing is collected', [...collectedOf(unresolvable), ...collectedOf(resumable)], []);
collect(hung);
for (const context of hung) context.release();
const giveUpAt = Date.now() + 10_000;
do await collectGarbage();
while (collectedOf(unresolvable).length < Object.keys(unresolvable).length && Date.now() < giveUpAt);
check(
  'after release: all that nothing can resume is collected',
  Object.keys(unresolvable).filter((name) => !collected.has(name)),
  [],
);
check('and none that something can', collectedOf(resumable), []);
check('none has settled: what has is collected too, and would prove nothing', settled, []);
cleanUp();

// ---- the heap after many of each
const heap = async () => {
  await collectGarbage();
  return process.memoryUsage().heapUsed;
};
const ready = Promise.resolve(1);
const breathe = () => new Promise((resolve) => setImmediate(resolve));
const growth = {};
async function grows(name, n, body) {
  for (let i = 0; i < n / 10; i++) await body(i);
  const before = await heap();
  for (let i = 0; i < n; i++) {
    await body(i);
    if (i % 500 === 0) await breathe();
  }
  growth[name] = ((await heap()) - before) / n;
}
await grows('requests that await a settled promise', 30_000, async () => {
  const context = new AwaitContext(new Uint32Array(1), 0);
  await tracker.run(context, async () => {
    await ready;
  });
  context.release();
});
await grows('awaits abandoned outside any request', 30_000, () => {
  (async () => {
    await new Promise(() => {});
  })();
});
await grows('awaits abandoned in released requests', 20_000, () => {
  const context = new AwaitContext(new Uint32Array(1), 0);
  tracker.run(context, async () => {
    await new Promise(() => {});
  });
  context.release();
});
await grows('then chains on one live promise', 20_000, () =>
  tracker.run(crowd, () => ready.then(() => 1).then(() => 2)),
);
check(
  'bytes kept a time',
  Object.entries(growth).filter(([, bytes]) => bytes > 20),
  [],
);
print();

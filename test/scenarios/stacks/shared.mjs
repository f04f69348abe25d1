// Promises with several waiters: the innermost frame of each, who else waits, the budget, the early look.

import { fileURLToPath } from 'node:url';
import { sampleFirstWaiters } from '@hangwatch/async-hooks-helpers';
import genericPool from 'generic-pool';
import pMemoize from 'p-memoize';
import { begin, budget, check, clock, collect, marksOf, never, print, tracker } from './harness.mjs';

const marks = marksOf(fileURLToPath(import.meta.url));
/** Frames as `function@mark`, where the position is marked. */
const named = (frames) =>
  frames.map((frame) => {
    const mark = [...marks].find(([, at]) => at.line === frame.line && at.column === frame.column)?.[0];
    return `${frame.function}@${mark ?? `${frame.line}:${frame.column}`}`;
  });
const requests = [];
function request(name, expected, inner) {
  async function handler() {
    await null;
    return /*@handler*/ await inner();
  }
  const context = begin(handler);
  requests.push({ name, expected, context });
  return context;
}
const tick = () => new Promise((resolve) => setTimeout(resolve, 5));

// ---- one promise, six waiters: the first is seen by nobody, four are captured, the sixth is over the promise's allowance
const shared = never();
const waiters = [1, 2, 3, 4, 5, 6].map((i) =>
  request(
    `waiter ${i} of six`,
    i === 1 || i === 6 ? ['handler@handler'] : ['inner@six', 'handler@handler'],
    async function inner() {
      /*@six*/ await shared;
    },
  ),
);

// ---- libraries
const memoized = pMemoize(async function load() {
  await never();
});
request('p-memoize, first', ['handler@handler'], async function inner() {
  await memoized('k');
});
request('p-memoize, second', ['inner@memo', 'handler@handler'], async function inner() {
  await /*@memo*/ memoized('k');
});
const pool = genericPool.createPool({ create: async () => ({}), destroy: async () => {} }, { max: 1 });
request('generic-pool, holder', ['inner@held', 'handler@handler'], async function inner() {
  await pool.acquire();
  /*@held*/ await never();
});
request('generic-pool, waiter', ['inner@poolWaiter', 'handler@handler'], async function inner() {
  const acquired = pool.acquire();
  /*@poolWaiter*/ await acquired;
});

// ---- shapes
async function load() {
  await never();
}
const guarded = never();
guarded.catch(() => {});
request('awaited outside any request before', ['inner@guarded', 'handler@handler'], async function inner() {
  /*@guarded*/ await guarded;
});
request('p.catch(); await p', ['inner@catchGuard', 'handler@handler'], async function inner() {
  const promise = load();
  promise.catch(() => {});
  /*@catchGuard*/ await promise;
});
request('race over a shared promise', ['inner@race', 'handler@handler'], async function inner() {
  /*@race*/ await Promise.race([guarded, never()]);
});
// The branch is the second waiter: of the first one nothing was captured.
request('another branch comes later', ['handler@handler'], async function inner() {
  const promise = load();
  setTimeout(() => promise.then(() => {}), 1);
  await promise;
});
request('two that wait for each other, in one request', ['inner@mutual', 'handler@handler'], async function inner() {
  let second;
  const first = (async function a() {
    await null;
    await second;
  })();
  second = (async function b() {
    await first;
  })();
  /*@mutual*/ await first;
});
request('through then() of what others wait for', ['inner@sharedThen', 'handler@handler'], async function inner() {
  /*@sharedThen*/ await shared.then((x) => x);
});
const sameTick = never();
request('in one tick: through then()', ['inner@tickThen', 'handler@handler'], async function inner() {
  /*@tickThen*/ await sameTick.then((x) => x);
});
// That the one before is another waiter, and not a part of this await, only a later tick shows.
request('in one tick: second, direct', ['handler@handler'], async function inner() {
  await sameTick;
});
request('in one tick: third, direct', ['inner@tickThird', 'handler@handler'], async function inner() {
  /*@tickThird*/ await sameTick;
});
const frozen = Object.freeze(never());
request('frozen promise, first', ['handler@handler'], async function inner() {
  await frozen;
});
request('frozen promise, second', ['inner@frozen', 'handler@handler'], async function inner() {
  /*@frozen*/ await frozen;
});
const ready = tick();
for (const i of [1, 2, 3]) {
  request(`await ready, then hang, ${i}`, ['inner@afterReady', 'handler@handler'], async function inner() {
    await ready;
    /*@afterReady*/ await never();
  });
}
const chained = never();
request('first through then()', ['inner@chained', 'handler@handler'], async function inner() {
  /*@chained*/ await chained.then((x) => x);
});

// ---- a handler that was never resumed, second waiter itself
const direct = never();
async function first() {
  await direct;
}
const directFirst = begin(first);
const directSecond = begin(async function second() {
  /*@direct*/ await direct;
});

await tick();
clock[0] += 10;
// `first through then()` waits since an older tick: a direct waiter is recognised as the second.
request('second, direct, later', ['inner@chainedLater', 'handler@handler'], async function inner() {
  /*@chainedLater*/ await chained;
});

// ---- the early look, while there is only one waiter
const early = never();
const sampled = request(
  'first waiter, after an early look',
  ['inner@early', 'handler@handler'],
  async function inner() {
    /*@early*/ await early;
  },
);
const cache = new Map();
function cachedLoad(key) {
  if (!cache.has(key))
    cache.set(
      key,
      (async function fill() {
        /*@fill*/ await never();
      })(),
    );
  return cache.get(key);
}
const sampledLoad = request(
  'async cache, first waiter, after an early look',
  ['inner@earlyLoad', 'handler@handler'],
  async function inner() {
    /*@earlyLoad*/ await cachedLoad('a');
  },
);
await tick();
sampleFirstWaiters(sampled);
sampleFirstWaiters(sampledLoad);
request(
  'async cache, second waiter, after the early look',
  ['inner@lateLoad', 'handler@handler'],
  async function inner() {
    await /*@lateLoad*/ cachedLoad('a');
  },
);
const later = request('second waiter, after the early look', ['inner@late', 'handler@handler'], async function inner() {
  /*@late*/ await early;
});

// ---- no budget: the frame is lost, nothing else
await tick();
const capturesBefore = tracker.stats.captures;
budget[0] = 0;
const poor = never();
const poorFirst = request('no budget, first', ['handler@handler'], async function inner() {
  await poor;
});
request('no budget, second', ['handler@handler'], async function inner() {
  await poor;
});
await tick();
check('without budget nothing is captured', tracker.stats.captures - capturesBefore, 0);
check('what was denied is counted', tracker.stats.capturesDenied >= 2, true);

// ---- await value in a function whose promise is awaited looks like a second waiter, and must not use the promise's allowance up
budget[0] = 1000;
const wastedBefore = { ...tracker.stats };
async function values() {
  for (let i = 0; i < 100; i++) await i;
  await never();
}
const valued = begin(async function handler() {
  await tick();
  await values();
});
await tick();
await tick();
const wasted = tracker.stats.captures - wastedBefore.captures;
check('a function that awaits values is captured for it once at most', wasted <= 1, true);
check('and that is given back', tracker.stats.capturesWasted - wastedBefore.capturesWasted, wasted);

const { stacks } = collect([...requests.map((x) => x.context), directFirst, directSecond, valued]);
for (const { name, expected, context } of requests)
  check(
    name,
    stacks
      .get(context)
      .filter((x) => x.own)
      .map((x) => named(x.frames)),
    [expected],
  );
check(
  'never resumed, second: joined to the wrapper',
  stacks.get(directSecond).map((x) => [x.own, x.captured, named(x.frames)]),
  [[true, true, ['second@direct']]],
);
const alsoOf = (context) => stacks.get(context)[0].alsoAwaitedBy;
check(
  'a captured waiter lists the six others',
  [alsoOf(waiters[1]).length, alsoOf(waiters[1]).includes(waiters[1])],
  [6, false],
);
check('a waiter whose frame is lost lists them too', [alsoOf(waiters[0]).length, alsoOf(waiters[5]).length], [6, 6]);
check(
  'the early look: each lists the other',
  [alsoOf(sampled)[0] === requests.find((x) => x.context === later).context, alsoOf(later)[0] === sampled],
  [true, true],
);
check(
  'async cache, early look: what fills it is seen beside, V8 has no link to its waiters',
  stacks
    .get(sampledLoad)
    .filter((x) => !x.own)
    .map((x) => named(x.frames)),
  [['fill@fill']],
);
check('no budget: the waiters are listed all the same', alsoOf(poorFirst).length, 1);
print();

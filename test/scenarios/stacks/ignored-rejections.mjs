// What a framework ignores (Express 4, node:http) and rejects: as handled or unhandled with our own await of it as without.
import { older } from './older-promise.mjs';

// From here on there are hooks.

import { AwaitContext, ownAwaitIgnored } from '@hangwatch/async-hooks-helpers';
import { check, print, tracker } from './harness.mjs';

let unhandled = 0;
process.on('unhandledRejection', () => {
  unhandled += 1;
});
const later = (ms, fn) => new Promise((resolve) => setTimeout(resolve, ms)).then(fn);
const fail = () => {
  throw new Error('staged');
};
const ignore = () => undefined;
/** Somebody who awaits it, and what it derives from it, and lives with the failure. */
const awaitIt = async (promise) => {
  try {
    await promise;
  } catch {
    return;
  }
};
const rejectsLater = () => new Promise((_, reject) => setTimeout(reject, 10, new Error('staged')));
async function awaitsValues() {
  for (let i = 0; i < 20; i++) await i;
  fail();
}
async function awaitsMuch() {
  await null;
  await later(3);
  await null;
  await 3;
  fail();
}
const known = awaitsValues();
known.catch(ignore);
let context;

const HANDLED = {
  'caught by the handler itself': () => awaitsValues().catch(ignore),
  'caught before it is returned': () => {
    const promise = awaitsValues();
    promise.catch(ignore);
    return promise;
  },
  'caught before it is returned, and the catch awaited': () => {
    const promise = awaitsValues();
    awaitIt(promise.catch(ignore));
    return promise;
  },
  'a derived promise, caught and awaited': () => {
    const promise = awaitsMuch().then(ignore);
    awaitIt(promise.catch(ignore));
    return promise;
  },
  'awaited elsewhere': () => {
    const promise = awaitsMuch();
    awaitIt(promise);
    return promise;
  },
  'rejected and caught at once': () => {
    const promise = Promise.reject(new Error('staged'));
    promise.catch(ignore);
    return promise;
  },
  'rejected at once, caught some microtasks later': () => {
    const promise = Promise.reject(new Error('staged'));
    const hops = (n) => queueMicrotask(() => (n === 0 ? promise.catch(ignore) : hops(n - 1)));
    hops(5);
    return promise;
  },
  'caught in the next tick': () => {
    const promise = awaitsValues();
    process.nextTick(() => promise.catch(ignore));
    return promise;
  },
  'caught by a later timer, before it rejects': () => {
    const promise = rejectsLater();
    setTimeout(() => promise.catch(ignore), 2);
    return promise;
  },
  'caught outside any context': () => {
    const promise = rejectsLater();
    tracker.storage.exit(() => promise.catch(ignore));
    return promise;
  },
  'rejected and caught long ago': () => known,
  'rejected and caught before there were hooks': () => older,
  'caught, and its await dropped from a full list': () => {
    const promise = rejectsLater();
    promise.catch(ignore);
    Promise.all(Array.from({ length: 6_000 }, () => later(20))).catch(ignore);
    return promise;
  },
  'caught, and the request over before it rejects': () => {
    const promise = rejectsLater();
    promise.catch(ignore);
    setTimeout(() => context.release(), 2);
    return promise;
  },
  'caught after the request is over': () => {
    const promise = rejectsLater();
    setTimeout(() => context.release(), 1);
    setTimeout(() => promise.catch(ignore), 3);
    return promise;
  },
};
const UNHANDLED = {
  'thrown at once': async () => fail(),
  'thrown after awaits of values': awaitsValues,
  'thrown after awaits of all kinds': awaitsMuch,
  'a derived promise': () => awaitsMuch().then(ignore),
  'rejected from a timer': rejectsLater,
  'the request over before it rejects': () => {
    setTimeout(() => context.release(), 1);
    return awaitsMuch();
  },
};

async function seen(make, take) {
  unhandled = 0;
  context = new AwaitContext(new Uint32Array(1), 0);
  tracker.run(context, () => take(make()));
  await later(25);
  context.release();
  return unhandled;
}

for (const [cases, expected] of [
  [HANDLED, 0],
  [UNHANDLED, 1],
]) {
  for (const [name, make] of Object.entries(cases)) {
    const without = await seen(make, () => undefined);
    check(`${name}: ${expected} unhandled`, [without, await seen(make, ownAwaitIgnored)], [expected, expected]);
  }
}
print();

// The package in an application that has changed what can be changed. Also run with flags of Node's that change more.
import assert from 'node:assert';
import { AsyncLocalStorage } from 'node:async_hooks';
import { createRequire } from 'node:module';
import { fileURLToPath } from 'node:url';
import util from 'node:util';
import vm from 'node:vm';
import {
  AwaitContext,
  AwaitTracker,
  awaitStackOf,
  collectAwaitStacks,
  ownAwait,
  runOwn,
} from '@hangwatch/async-hooks-helpers';
import { begin, check, collect, marksOf, never, print, tracker } from './harness.mjs';

const require = createRequire(import.meta.url);
const file = fileURLToPath(import.meta.url);
const marks = marksOf(file);
const at = (mark) => [file, marks.get(mark).line, marks.get(mark).column];
const positions = (frames) => frames.map((frame) => [frame.function, frame.file, frame.line, frame.column]);

let pending;
async function inner() {
  pending = never();
  /*@inner*/ await pending;
}
async function outer() {
  /*@outer*/ await inner();
}
outer();
const EXPECTED = [
  ['inner', ...at('inner')],
  ['outer', ...at('outer')],
];
const shared = never();
begin(async function first() {
  await shared;
});
/** A walk, and a stack captured for a second waiter, must be right, and the application's change still in force. */
async function unaffected(name, change, undo, inForce = () => true) {
  change();
  const walked = positions(awaitStackOf(pending));
  const promise = never();
  begin(async function first() {
    await promise;
  });
  const context = begin(async function second() {
    /*@second*/ await promise;
  });
  await new Promise((resolve) => setTimeout(resolve, 1));
  const captured = collect([context])
    .stacks.get(context)
    .map((stack) => positions(stack.frames));
  const still = inForce();
  undo();
  check(`${name}: walked`, walked, EXPECTED);
  check(`${name}: captured`, captured, [[['second', ...at('second')]]]);
  check(`${name}: still in force`, still, true);
}

const frozen = Object.isFrozen(Error);
const changes = frozen
  ? []
  : ['prepareStackTrace', 'stackTraceLimit', 'captureStackTrace', 'then', 'source-map-support', 'Bluebird'].filter(
      // Bluebird makes code from strings.
      (change) => change !== 'Bluebird' || !process.execArgv.includes('--disallow-code-generation-from-strings'),
    );
await unaffected(
  'nothing changed',
  () => {},
  () => {},
);
for (const change of changes) {
  if (change === 'prepareStackTrace') {
    await unaffected(
      'Error.prepareStackTrace',
      () => {
        Error.prepareStackTrace = () => 'OVERRIDDEN';
      },
      () => {
        Error.prepareStackTrace = undefined;
      },
      () => new Error('x').stack === 'OVERRIDDEN',
    );
    await unaffected(
      'Error.prepareStackTrace that throws',
      () => {
        Error.prepareStackTrace = () => {
          throw new Error('from prepareStackTrace');
        };
      },
      () => {
        Error.prepareStackTrace = undefined;
      },
    );
  } else if (change === 'stackTraceLimit') {
    const before = Error.stackTraceLimit;
    await unaffected(
      'Error.stackTraceLimit = 0',
      () => {
        Error.stackTraceLimit = 0;
      },
      () => {
        Error.stackTraceLimit = before;
      },
      () => Error.stackTraceLimit === 0,
    );
    await unaffected(
      'Error.stackTraceLimit that throws',
      () => {
        Object.defineProperty(Error, 'stackTraceLimit', {
          configurable: true,
          get() {
            throw new Error('read');
          },
          set() {
            throw new Error('written');
          },
        });
      },
      () => {
        Object.defineProperty(Error, 'stackTraceLimit', {
          value: before,
          writable: true,
          configurable: true,
          enumerable: true,
        });
      },
    );
  } else if (change === 'captureStackTrace') {
    const before = Error.captureStackTrace;
    await unaffected(
      'Error.captureStackTrace that throws',
      () => {
        Error.captureStackTrace = () => {
          throw new Error('called');
        };
      },
      () => {
        Error.captureStackTrace = before;
      },
    );
  } else if (change === 'then') {
    const before = Promise.prototype.then;
    let calls = 0;
    await unaffected(
      'Promise.prototype.then patched',
      () => {
        Promise.prototype.then = function patched(...args) {
          calls += 1;
          return before.apply(this, args);
        };
      },
      () => {
        Promise.prototype.then = before;
      },
      () => {
        const counted = calls;
        awaitStackOf(pending);
        return calls === counted;
      },
    );
  } else if (change === 'source-map-support') {
    await unaffected(
      'source-map-support installed',
      () => require('source-map-support').install(),
      () => {
        Error.prepareStackTrace = undefined;
      },
      () => typeof Error.prepareStackTrace === 'function',
    );
  } else {
    const native = globalThis.Promise;
    const Bluebird = require('bluebird');
    let own;
    // Only the walk: what is made here is Bluebird's.
    globalThis.Promise = Bluebird;
    own = positions(awaitStackOf(pending));
    globalThis.Promise = native;
    check('a global Bluebird: walked', own, EXPECTED);
  }
}

// ---- what is asked about
const frozenPromise = Object.freeze(never());
(async function waits() {
  /*@frozen*/ await frozenPromise;
})();
check('a frozen promise', positions(awaitStackOf(frozenPromise)), [['waits', ...at('frozen')]]);
// `await` goes through the subclass's own `then`, with a promise of its own: the awaits are tracked, the promise asked about has no link to them.
class Subclass extends Promise {}
const subclassed = new Subclass(() => {});
const subclassContext = begin(async function waits() {
  /*@subclass*/ await subclassed;
});
check('a promise of a subclass: not to be walked from', awaitStackOf(subclassed), []);
check(
  'a promise of a subclass: its await is found',
  collect([subclassContext])
    .stacks.get(subclassContext)
    .map((stack) => [stack.own, positions(stack.frames)]),
  [[true, [['waits', ...at('subclass')]]]],
);
check(
  'no promise, a proxy, a thenable',
  [undefined, null, 1, {}, () => 1, new Proxy(pending, {}), Object.create(Promise.prototype)].map(
    (x) => awaitStackOf(x).length,
  ),
  [0, 0, 0, 0, 0, 0, 0],
);
check(
  'a settled promise',
  [
    awaitStackOf(Promise.resolve(1)),
    awaitStackOf(
      Promise.reject(new Error('x'))
        .finally(() => {})
        .catch(() => {}) && Promise.resolve(),
    ),
  ],
  [[], []],
);
check('nobody awaits it', awaitStackOf(never()), []);
check('the list is an array of this realm', Object.getPrototypeOf(awaitStackOf(pending)) === Array.prototype, true);
check('options.limit', awaitStackOf(pending, { limit: 1 }).length, 1);
assert.throws(() => awaitStackOf(pending, { limit: 0 }), /options\.limit must be a positive integer, got 0/);
function deep(n) {
  return n === 0 ? positions(awaitStackOf(pending)) : deep(n - 1);
}
check('asked from 150 calls deep', deep(150).length, 2);

// ---- another realm
const realm = vm.createContext({});
const script = `async function realmInner() { await (globalThis.pending = new Promise(() => {})); }
async function realmOuter() {
  await realmInner();
}
async function realmHandler(ownAwait) { await ownAwait(realmOuter()); }`;
vm.runInContext(script, realm, { filename: '/realm/script.js' });
const realmFrames = [
  ['realmInner', '/realm/script.js', 1, 31],
  ['realmOuter', '/realm/script.js', 3, 3],
];
const realmContext = begin(() => vm.runInContext('realmOuter()', realm));
check('a promise of another realm', positions(awaitStackOf(realm.pending)), realmFrames);
// Awaiting another realm's promise goes through its `then`, like a thenable's: the link is lost there, and only there.
check(
  'functions of another realm',
  collect([realmContext])
    .stacks.get(realmContext)
    .map((stack) => [stack.own, positions(stack.frames)]),
  [
    [true, []],
    [false, realmFrames],
  ],
);

// ---- nothing on the application's promises
const inspected = never();
const plain = util.inspect(inspected, { showHidden: true });
begin(async function waits() {
  await inspected;
});
awaitStackOf(inspected);
check('util.inspect shows nothing new', util.inspect(inspected, { showHidden: true }) === plain, true);
// On Node 20 and 22 AsyncLocalStorage itself leaves symbols of Node's.
const nodes = new Set(Reflect.ownKeys(never()).map(String));
check(
  'no own keys but Node’s',
  Reflect.ownKeys(inspected)
    .map(String)
    .filter((key) => !nodes.has(key)),
  [],
);

// ---- the asynchronous context of whoever asks
const storage = new AsyncLocalStorage();
check(
  'AsyncLocalStorage is intact after a probe',
  storage.run('mine', () => [awaitStackOf(pending).length, storage.getStore()]),
  [2, 'mine'],
);

// ---- rejections stay as they were
const events = [];
process.on('unhandledRejection', (reason) => events.push(`unhandled ${reason.message}`));
process.on('rejectionHandled', () => events.push('handled late'));
const macrotask = () => new Promise((resolve) => setTimeout(resolve, 5));
const unhandled = Promise.reject(new Error('nobody'));
awaitStackOf(unhandled);
const handled = Promise.reject(new Error('somebody'));
handled.catch(() => {});
awaitStackOf(handled);
let rejectLater;
const later = new Promise((_resolve, reject) => {
  rejectLater = reject;
});
(async function waits() {
  await later;
})().catch(() => events.push('caught by its waiter'));
for (let i = 0; i < 10; i++) awaitStackOf(later);
await macrotask();
rejectLater(new Error('later'));
await macrotask();
awaitStackOf(unhandled);
await macrotask();
check('probing changes nothing about rejections', events, ['unhandled nobody', 'caught by its waiter']);
events.length = 0;
ownAwait(Promise.reject(new Error('unhandled handler')));
ownAwait(Promise.reject(new Error('handled handler'))).catch(() => events.push('caught'));
runOwn(() => Promise.reject(new Error('unhandled chain')));
runOwn(() => {
  throw new Error('thrown');
}).catch((error) => events.push(error.message));
await macrotask();
check(
  'ownAwait and runOwn hand rejections on, once',
  events.sort(),
  ['caught', 'thrown', 'unhandled unhandled chain', 'unhandled unhandled handler'].sort(),
);

// ---- ownAwait touches promises alone
let touched = 0;
const lazy = Object.defineProperty({}, ['th', 'en'].join(''), { get: () => void (touched += 1) });
check(
  'a lazy thenable comes back untouched',
  [ownAwait(lazy) === lazy, touched, ownAwait(7), ownAwait(undefined) === undefined],
  [true, 0, 7, true],
);
check(
  'a value comes through',
  [await ownAwait(Promise.resolve(3)), await runOwn(async () => 4), await runOwn(() => 5)],
  [3, 4, 5],
);

// ---- progress
const cells = new Uint32Array(4);
const counted = new AwaitContext(cells, 2);
await tracker.run(counted, async () => {
  await never.call; // a value: wrapper and throwaway begin, one resumes
  await macrotask();
});
const moved = cells[2];
check(
  'awaits begun and resumed move the number of the context alone',
  [moved > 3, cells[0] + cells[1] + cells[3]],
  [true, 0],
);
check('nothing is outstanding when all have resumed', counted.outstanding, 0);
let beats = 0;
const beating = tracker.run(counted, () =>
  setInterval(async () => {
    await null;
    beats += 1;
  }, 1),
);
await macrotask();
const beforeRelease = cells[2];
counted.release();
counted.release();
const beatsBefore = beats;
while (beats < beatsBefore + 3) await macrotask();
clearInterval(beating);
check(
  'an interval that outlives its context moves nobody’s number',
  [beforeRelease > moved, cells[2] - beforeRelease, counted.released, counted.outstanding],
  [true, 0, true, 0],
);
check('and its context has no stacks', collect([counted]).stacks.get(counted), []);
check(
  'current()',
  [tracker.current() === undefined, tracker.run(counted, () => tracker.current() === counted)],
  [true, true],
);
assert.throws(() => tracker.run({}, () => 1), /context must be an AwaitContext/);
check(
  'something else in the storage harms nothing',
  await tracker.storage.run({ cells: null }, async () => (await null, 'alive')),
  'alive',
);
check('null in the storage harms nothing', await tracker.storage.run(null, async () => (await null, 'alive')), 'alive');

// ---- recursion without end, with an await at each level, is the application's error as ever.
// Not on Node 20: with AsyncLocalStorage and any second promise hook Node itself ends the process (its initAll catches the error of the
// one hook and reports it as uncaught).
const overflowing = new AwaitContext(new Uint32Array(1), 0);
function recurse(n) {
  return Promise.resolve(n).then(() => 1) && recurse(n + 1) + 1;
}
const message = process.version.startsWith('v20.')
  ? 'Maximum call stack size exceeded'
  : await tracker.run(overflowing, async () => {
      await null;
      try {
        return recurse(0);
      } catch (error) {
        return error.message;
      }
    });
check('a stack overflow is the application’s error, as ever', message, 'Maximum call stack size exceeded');
overflowing.release();

// ---- one tracker for all copies
const cjs = require('@hangwatch/async-hooks-helpers');
check(
  'ESM and CJS copies are one',
  [cjs.AwaitTracker === AwaitTracker, cjs.AwaitContext === AwaitContext, cjs.ownAwait === ownAwait],
  [true, true, true],
);
const again = cjs.AwaitTracker.install();
check('install returns the one', again === tracker, true);
again.uninstall();
const stillOn = begin(async () => {
  await never();
});
check('one uninstall of two leaves the hooks', stillOn.outstanding > 0, true);

// ---- a large collection is many small slices
const crowd = Array.from({ length: 2500 }, () =>
  begin(async function one() {
    await (async function two() {
      await (async function three() {
        await never();
      })();
    })();
  }),
);
const { slices, stacks } = collect(crowd);
// The machine's own pauses fall on other slices each time.
const longestOf = (contexts) => Math.min(...[1, 2, 3].map(() => collect(contexts).longestShare));
check('10,000 awaits come in thousands of slices', [slices > 5000, stacks.size], [true, 2500]);
check('the longest of which is a small part', longestOf(crowd) < 0.2, true);
const wide = begin(async function wide() {
  await Promise.all(Array.from({ length: 4000 }, never));
});
const collectionOfOne = collect([wide]);
check(
  '4,000 awaits of one context too',
  [collectionOfOne.slices > 1000, collectionOfOne.stacks.get(wide).length],
  [true, 4000],
);
check('and the longest slice is a small part', longestOf([wide]) < 0.2, true);

// ---- awaits that resume while the collection is going on
let release;
const gate = new Promise((resolve) => {
  release = resolve;
});
const leaving = Array.from({ length: 50 }, () =>
  begin(async function leaves() {
    await gate;
  }),
);
const collection = collectAwaitStacks(leaving);
collection.next();
release();
await macrotask();
let step = collection.next();
while (!step.done) step = collection.next();
check('awaits that resume meanwhile are left out', [...step.value.values()].flat().length, 0);

print();

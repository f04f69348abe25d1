// Beside other users of promise hooks and of async_hooks: what they see of us, and that theirs goes on.
import { AsyncLocalStorage, createHook } from 'node:async_hooks';
import { fileURLToPath } from 'node:url';
import v8 from 'node:v8';
import { awaitStackOf, functionLocation } from '@hangwatch/async-hooks-helpers';
import { begin, check, collect, marksOf, never, print } from './harness.mjs';

const marks = marksOf(fileURLToPath(import.meta.url));
let pending;
async function inner() {
  pending = never();
  /*@inner*/ await pending;
}
(async function outer() {
  /*@outer*/ await inner();
})();
await new Promise((resolve) => setTimeout(resolve, 5));

// ---- counts
const kinds = ['init', 'before', 'after', 'settled'];
const seen = Object.fromEntries(kinds.map((kind) => [kind, 0]));
const onPending = [];
const count = (kind) => (promise) => {
  seen[kind] += 1;
  if (promise === pending) onPending.push(kind);
};
const stops = [
  v8.promiseHooks.onInit(count('init')),
  v8.promiseHooks.onBefore(count('before')),
  v8.promiseHooks.onAfter(count('after')),
  v8.promiseHooks.onSettled(count('settled')),
];
const frames = awaitStackOf(pending);
for (const stop of stops) stop();
check(
  'with another v8.promiseHooks user: the stack',
  frames.map((x) => [x.function, x.line]),
  [
    ['inner', marks.get('inner').line],
    ['outer', marks.get('outer').line],
  ],
);
check('it sees nothing on the application’s promise', onPending, []);
check('and of the probe one promise, run twice, never settled', seen, { init: 1, before: 2, after: 2, settled: 0 });

const ids = { init: [], before: [], after: [], promiseResolve: [], destroy: [] };
const hook = createHook(
  Object.fromEntries(Object.keys(ids).map((kind) => [kind, (id) => ids[kind].push(id)])),
).enable();
awaitStackOf(pending);
hook.disable();
check(
  'an async_hooks user sees one promise begin, and its two runs',
  [ids.init.length, ids.before, ids.after, ids.promiseResolve.length],
  [1, [ids.init[0], ids.init[0]], [ids.init[0], ids.init[0]], 0],
);

// ---- a probe inside a microtask, which this package never does of itself, but a user of awaitStackOf may
async function thrower(probes) {
  await null;
  if (probes) awaitStackOf(pending);
  return new Error('x').stack.split('\n').filter((line) => line.includes('at async')).length;
}
async function caller(probes) {
  return await thrower(probes);
}
const asyncFrames = [await caller(false), await caller(true), await caller(false)];
check(
  'a probe inside a microtask: a later Error of that microtask has no async frames, those of others have theirs',
  [asyncFrames[0] > 0, ...asyncFrames.slice(1)],
  [true, 0, asyncFrames[0]],
);

// ---- theirs, all the time, and ours
const others = { before: 0, balance: 0 };
const always = createHook({
  init() {},
  before() {
    others.before += 1;
    others.balance += 1;
  },
  after() {
    others.balance -= 1;
  },
}).enable();
let theirs = 0;
const stop = v8.promiseHooks.onInit(() => {
  theirs += 1;
});
const storage = new AsyncLocalStorage();
const context = begin(() =>
  storage.run('theirs', async function handler() {
    await null;
    stored.push(storage.getStore());
    /*@handler*/ await (async function query() {
      await new Promise((resolve) => setTimeout(resolve, 1));
      stored.push(storage.getStore());
      /*@query*/ await never();
    })();
  }),
);
const stored = [];
await new Promise((resolve) => setTimeout(resolve, 20));
const { stacks } = collect([context]);
check(
  'the stack beside them',
  stacks.get(context).map((stack) => [stack.own, stack.frames.map((x) => [x.function, x.line])]),
  [
    [
      true,
      [
        ['query', marks.get('query').line],
        ['handler', marks.get('handler').line],
      ],
    ],
  ],
);
check('their contexts arrive', stored, ['theirs', 'theirs']);
check('their hooks ran', [theirs > 5, others.before > 3], [true, true]);
await new Promise((resolve) => setTimeout(resolve, 5));
// Enabled inside a reaction whose `before` they did not see, asked inside one whose `after` is to come.
check('their before and after are balanced', others.balance, 0);
always.disable();
stop();

// ---- where functions are
function declared() {}
const arrow = () => 1;
class Something {
  method() {}
}
const at = (fn) => {
  const location = functionLocation(fn);
  return [location?.file === fileURLToPath(import.meta.url), location?.line];
};
const source = (await import('node:fs')).readFileSync(fileURLToPath(import.meta.url), 'utf8').split('\n');
const lineOf = (text) => source.findIndex((x) => x.startsWith(text)) + 1;
check(
  'functionLocation',
  [at(declared), at(arrow), at(Something), at(Something.prototype.method)],
  [
    [true, lineOf('function declared')],
    [true, lineOf('const arrow')],
    [true, lineOf('class Something')],
    [true, lineOf('  method()')],
  ],
);
const { column } = functionLocation(arrow);
check('functionLocation: column', column, 'const arrow = '.length + 1);
check(
  'bound, native, no function',
  [declared.bind(null), Math.max, undefined, {}].map((x) => functionLocation(x) === undefined),
  [true, true, true, true],
);
check('Node’s own: its name, or nothing', functionLocation(setTimeout)?.file ?? 'node:timers', 'node:timers');
check(
  'the inspector leaves nothing on the global object',
  Object.getOwnPropertySymbols(globalThis).filter((x) => String(x).includes('inspected')),
  [],
);
print();

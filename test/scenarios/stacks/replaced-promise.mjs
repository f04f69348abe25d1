// usage: replaced-promise.mjs zone.js|ses   what is said and done where the runtime's promises are not as V8 made them
import assert from 'node:assert';
import { fileURLToPath } from 'node:url';

const kind = process.argv[2];
if (kind === 'zone.js') await import('zone.js/node');
if (kind === 'ses') {
  await import('ses');
  lockdown({ errorTaming: 'unsafe', overrideTaming: 'severe', consoleTaming: 'unsafe' });
}
const { AwaitContext, AwaitTracker, awaitStackOf, collectAwaitStacks, ownAwait, functionLocation } = await import(
  '@hangwatch/async-hooks-helpers'
);
const tracker = AwaitTracker.install();
const context = new AwaitContext(new Uint32Array(1), 0);
const results = [];
const check = (name, actual, expected) => {
  try {
    assert.deepStrictEqual(actual, expected);
    results.push({ name, ok: true });
  } catch {
    results.push({ name, ok: false, actual, expected });
  }
};
async function query() {
  await new Promise(() => {});
}
const value = await tracker.run(context, async () => {
  const a = await Promise.resolve(20);
  const [b, c] = await Promise.all([new Promise((resolve) => setTimeout(resolve, 1, 21)), (async () => 1)()]);
  return a + b + c;
});
check('the application goes on', value, 42);
tracker.run(context, () => {
  ownAwait(
    (async function handler() {
      await query();
    })(),
  );
});
await new Promise((resolve) => setTimeout(resolve, 10));
const collection = collectAwaitStacks([context]);
let step = collection.next();
while (!step.done) step = collection.next();
const stacks = step.value.get(context).map((stack) => [stack.own, stack.frames.map((frame) => frame.function)]);
check('and the stack of what hangs is right', stacks, [[true, ['query', 'handler']]]);
check('hooks and stacks work', [tracker.support.hooks, tracker.support.stacks], [true, true]);
check('functionLocation', functionLocation(query)?.file, fileURLToPath(import.meta.url));
const pending = query();
(async function waits() {
  await pending;
})();
check(
  'awaitStackOf',
  awaitStackOf(pending).map((frame) => frame.function),
  ['waits'],
);
process.stdout.write(
  `${JSON.stringify({ node: process.version, support: tracker.support, stats: tracker.stats, results })}\n`,
);
process.exit(0);

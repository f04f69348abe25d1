// V8 keeps promises (and arrays) fast while nobody has touched certain things, and slow for ever after: do we touch any?
// Run with --allow-natives-syntax.
import vm from 'node:vm';
import { awaitStackOf, functionLocation, sampleFirstWaiters } from '@hangwatch/async-hooks-helpers';
import { begin, check, collect, never, print } from './harness.mjs';

const PROTECTORS = [
  'PromiseSpeciesProtector',
  'ArraySpeciesProtector',
  'ArrayIteratorProtector',
  'MapIteratorProtector',
  'SetIteratorProtector',
];
const intact = () => PROTECTORS.filter((name) => vm.runInThisContext(`%${name}()`));
check('before', intact(), PROTECTORS);
const shared = never();
const contexts = [1, 2, 3].map(() =>
  begin(async function handler() {
    for (let i = 0; i < 3; i++) await i;
    await shared;
  }),
);
contexts[0].captureCreations();
await new Promise((resolve) => setTimeout(resolve, 5));
sampleFirstWaiters(contexts[0]);
for (let i = 0; i < 100; i++) awaitStackOf(shared);
check(
  'stacks were found',
  [...collect(contexts).stacks.values()].map((x) => x.length),
  [1, 1, 1],
);
check('a function was found', functionLocation(begin) !== undefined, true);
check('after hooks, probes, captures and the inspector', intact(), PROTECTORS);
const broken = Promise.resolve();
broken.constructor = {};
check('the control: a constructor on a promise breaks one', intact(), PROTECTORS.slice(1));
print();

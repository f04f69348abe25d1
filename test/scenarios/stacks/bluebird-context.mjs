// usage: bluebird-context.mjs [async-hooks]   which request Bluebird's callbacks run in, when several use it in one tick

import { fileURLToPath } from 'node:url';
import Bluebird from 'bluebird';
import { begin, check, collect, marksOf, never, print } from './harness.mjs';

const asyncHooks = process.argv[2] === 'async-hooks';
if (asyncHooks) Bluebird.config({ asyncHooks: true });
const marks = marksOf(fileURLToPath(import.meta.url));
let begun = 0;
async function query() {
  begun += 1;
  /*@query*/ await never();
}
const contexts = ['one', 'two', 'three'].map((id) =>
  begin(async function handler() {
    /*@handler*/ await Bluebird.resolve(id).then(() => query());
  }),
);
const giveUpAt = Date.now() + 10_000;
while (begun < contexts.length && Date.now() < giveUpAt) await new Promise((resolve) => setTimeout(resolve, 5));
const { stacks } = collect(contexts);
const own = [[true, [['handler', marks.get('handler').line]]]];
const withQuery = [...own, [false, [['query', marks.get('query').line]]]];
const shown = contexts.map((context) =>
  stacks.get(context).map((stack) => [stack.own, stack.frames.map((x) => [x.function, x.line])]),
);
if (asyncHooks) check('with asyncHooks each request has its own', shown, [withQuery, withQuery, withQuery]);
else check('without, the callbacks run in the request that came first', shown, [withQuery, own, own]);
print();

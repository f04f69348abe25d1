// What every group of cases shares: requests that hang on purpose, and the check of what the package says about them.
// A case names the frames it expects as `function@mark`; a mark is a comment `/*@mark*/` in the case's own file, right before the
// place that V8 gives for the frame. All frames of the application must match, in number, name, file, line and column.
import { readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { AwaitContext, AwaitTracker, collectAwaitStacks, ownAwait } from '@hangwatch/async-hooks-helpers';

export const clock = new Uint32Array(1);
export const budget = new Int32Array([1_000_000]);
export const tracker = AwaitTracker.install({ clock, captureBudget: budget });

/** Resolvers are kept: a promise that nothing can resolve may be collected, with all that waits for it. */
const resolvers = [];
export const never = () => new Promise((resolve) => resolvers.push(resolve));

const cases = [];

/**
 * @param own app frames of an own stack, innermost first; null where there must be none
 * @param options.other app frames of stacks that must be there too, not own: what is suspended, but not linked to the handler by V8
 * @param options.dependency a function of a dependency that must be in the own stack too
 * @param options.limit why the whole can't be had (then `own` and `other` say what is), or by Node major
 */
export function declare(name, own, handler, options = {}) {
  cases.push({ name, own, handler, ...options });
}

/** Begins a request. What its handler returns is awaited as its own, as adapters do. */
export function begin(handler, onError = () => {}) {
  const context = new AwaitContext(new Uint32Array(1), 0);
  tracker.run(context, () => {
    const returned = ownAwait(handler());
    if (returned instanceof Promise) returned.catch(onError);
  });
  return context;
}

/** Collects without a pause. `longestShare` is the part of the whole time that the longest slice took. */
export function collect(contexts) {
  const collection = collectAwaitStacks(contexts);
  const begun = performance.now();
  let slices = 0;
  let longestMs = 0;
  for (;;) {
    const start = performance.now();
    const step = collection.next();
    const now = performance.now();
    slices += 1;
    longestMs = Math.max(longestMs, now - start);
    if (step.done) return { stacks: step.value, slices, longestShare: longestMs / (now - begun) };
  }
}

/** Positions of the marks in a file: those of what comes right after them. */
export function marksOf(file) {
  const marks = new Map();
  readFileSync(file, 'utf8')
    .split('\n')
    .forEach((text, i) => {
      for (const found of text.matchAll(/\/\*@([\w-]+)\*\/ ?/g))
        marks.set(found[1], { line: i + 1, column: found.index + found[0].length + 1 });
    });
  return marks;
}

export const show = (frames) =>
  frames
    .map(
      (f) =>
        `${f.function}${f.promiseIndex === undefined ? '' : `[${f.promiseIndex}]`} ${f.file.split('/').slice(-2).join('/')}:${f.line}:${f.column}`,
    )
    .join(' < ');

function matches(frames, expected, marks, files, dependency) {
  if (dependency !== undefined && !frames.some((frame) => frame.function === dependency && frame.kind === 'dependency'))
    return false;
  const app = frames.filter((frame) => frame.kind === 'app');
  return (
    app.length === expected.length &&
    app.every((frame, i) => {
      const [name, mark] = expected[i].split('@');
      if (frame.function !== name) return false;
      if (mark === undefined) return false;
      const at = marks.get(mark);
      if (at === undefined) throw new Error(`no mark /*@${mark}*/`);
      return files.has(frame.file) && frame.line === at.line && frame.column === at.column && frame.async;
    })
  );
}

const major = Number(process.version.slice(1).split('.')[0]);

/** Runs all cases, prints the result as JSON and ends the process, whatever still holds it. */
export async function report(url, { waitMs = 300, files = [], cleanUp = () => {} } = {}) {
  const paths = [fileURLToPath(url), ...files];
  const marks = new Map(paths.flatMap((path) => [...marksOf(path)]));
  const running = cases.map((x) => {
    const errors = [];
    return { ...x, errors, context: begin(x.handler, (error) => errors.push(String(error?.message ?? error))) };
  });
  const look = async () => {
    await new Promise((resolve) => setTimeout(resolve, waitMs));
    clock[0] += waitMs;
    const { stacks } = collect(running.map((x) => x.context));
    return running.map((each) => judge(each, stacks));
  };
  const judge = ({ name, own, other = [], limit, dependency, errors, context, minimum = 20 }, stacks) => {
    if (major < minimum) return { name, ok: true, skipped: `Node ${minimum} and later have it` };
    const got = stacks.get(context);
    const has = (expected, isOwn) =>
      got.some(
        (stack) =>
          stack.own === isOwn && matches(stack.frames, expected, marks, new Set(paths), isOwn ? dependency : undefined),
      );
    const missing = [
      ...(own === null
        ? got.filter((stack) => stack.own).map(() => ['no own stack'])
        : has(own, true)
          ? []
          : [['own', ...own]]),
      ...other.filter((expected) => !has(expected, false)).map((expected) => ['other', ...expected]),
    ];
    const ok = missing.length === 0 && errors.length === 0 && tracker.stats.failures === 0;
    const seen = got.map((stack) => `${stack.own ? 'own' : 'other'}: ${show(stack.frames)}`);
    return { name, ok, limit, ...(ok ? {} : { missing, seen, errors }) };
  };
  // On a busy machine a response may not have come as far as its case says.
  const until = Date.now() + 10_000;
  let results = await look();
  while (Date.now() < until && results.some(({ ok }) => !ok)) results = await look();
  cleanUp();
  print(results);
}

const checks = [];
/** A check that isn't a case: `actual` must equal `expected` in JSON. */
export function check(name, actual, expected) {
  const ok = JSON.stringify(actual) === JSON.stringify(expected);
  checks.push({ name, ok, ...(ok ? {} : { actual, expected }) });
}

/** Prints the checks, and the cases given, and ends the process. */
export function print(results = []) {
  const output = {
    node: process.version,
    support: tracker.support,
    stats: tracker.stats,
    results: [...results, ...checks],
  };
  process.stdout.write(`${JSON.stringify(output)}\n`, () => {
    // Not exit(): a file call blocked in libuv's pool would hold it for ever.
    process.kill(process.pid, 'SIGKILL');
  });
}

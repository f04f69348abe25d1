import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import babel from '@babel/core';
import { AwaitContext, ownAwait } from '@hangwatch/async-hooks-helpers';
import esbuild from 'esbuild';
import ts from 'typescript';
import { check, collect, declare, never, report, tracker } from './harness.mjs';

const require = createRequire(import.meta.url);
const folder = mkdtempSync(path.join(tmpdir(), 'hangwatch-downlevel-'));
const source = readFileSync(fileURLToPath(new URL('./downlevel-source.ts', import.meta.url)), 'utf8');

function tsc(target) {
  const compilerOptions = { target, module: ts.ModuleKind.CommonJS, inlineSourceMap: true, inlineSources: true };
  return ts.transpileModule(source, { compilerOptions, fileName: 'source.ts' }).outputText;
}
function babelFor(targets) {
  const native = ts.transpileModule(source, { compilerOptions: { target: ts.ScriptTarget.ESNext } }).outputText;
  const presets = [[require.resolve('@babel/preset-env'), { targets, modules: 'commonjs' }]];
  return babel.transformSync(native, { presets, babelrc: false, configFile: false }).code;
}
function compiled(name, code) {
  const file = path.join(folder, `${name}.cjs`);
  writeFileSync(file, code);
  return { file, handler: require(file).handler };
}

const native = compiled('ts-es2017', tsc(ts.ScriptTarget.ES2017));
declare(
  'TypeScript for ES2017, with a source map',
  ['query@query', 'loadUser@loadUser', 'handler@handler'],
  native.handler,
);

const downlevelled = [];
const limit =
  'compiled to generators, nothing is suspended in an await: only the wrapper shows, which is how such a route is recognised';
for (const [name, code] of [
  ['TypeScript for ES2015', tsc(ts.ScriptTarget.ES2015)],
  ['TypeScript for ES5', tsc(ts.ScriptTarget.ES5)],
  ['Babel for ES2015', babelFor({ chrome: '51' })],
  ['Babel with regenerator', babelFor({ ie: '11' })],
  ['esbuild for ES2016', esbuild.transformSync(source, { loader: 'ts', target: 'es2016', format: 'cjs' }).code],
]) {
  const { file, handler } = compiled(name.replaceAll(' ', '-'), code);
  downlevelled.push({ name, file, code, handler });
  declare(name, [], handler, { limit });
}

/** Where each function makes its promise, outside the compiler's helper; and the one that `query` makes itself. Oldest await first. */
function makers({ file, code }) {
  const lines = code.split('\n');
  const lineIn = (name, text) => {
    const start = lines.findIndex((line) => line.startsWith(`function ${name}()`));
    return lines.findIndex((line, i) => i > start && text.test(line)) + 1;
  };
  const made = (name) => [name, file, lineIn(name, /__awaiter\(|__async\(|return _\w+\.apply/)];
  return [made('handler'), made('loadUser'), ['', file, lineIn('query', /new Promise/)], made('query')];
}
/** The innermost frame that is not the helper's. */
function maker({ created = [] }) {
  const [innermost = [], caller = []] = created.map((frame) => [frame.function, frame.file, frame.line]);
  return ['handler', 'loadUser', 'query'].includes(caller[0]) ? caller : ['', ...innermost.slice(1)];
}

// After the first hang of such a route its requests note where their promises are made. Beside it is what V8 can walk: that is not its own.
async function beside() {
  /*@beside*/ await never();
}
for (const { name, handler, ...emitted } of downlevelled) {
  const contexts = [false, true].map((armed) => {
    const context = new AwaitContext(new Uint32Array(1), 0);
    if (armed) context.captureCreations();
    tracker.run(context, () => {
      void beside();
      ownAwait(handler());
    });
    return context;
  });
  await new Promise((resolve) => setTimeout(resolve, 10));
  const { stacks } = collect(contexts);
  const shape = (stack) => [stack.own, stack.frames.map((frame) => frame.function), stack.created !== undefined];
  const [first, armed] = contexts.map((context) => stacks.get(context));
  check(`${name}: its own stack shows nothing, the one beside it does`, first.map(shape), [
    [true, [], false],
    [false, ['beside'], false],
  ]);
  check(`${name}: armed, its own comes first`, armed.slice(0, 2).map(shape), [
    [true, [], true],
    [false, ['beside'], true],
  ]);
  check(
    `${name}: armed, where its promises were made`,
    armed.filter((stack) => stack.frames.length === 0).map(maker),
    makers(emitted),
  );
  for (const context of contexts) context.release();
}

await report(import.meta.url, { files: [native.file], cleanUp: () => rmSync(folder, { recursive: true }) });

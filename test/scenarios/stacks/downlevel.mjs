import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import babel from '@babel/core';
import { AwaitContext, ownAwait } from '@hangwatch/async-hooks-helpers';
import esbuild from 'esbuild';
import ts from 'typescript';
import { check, collect, declare, report, tracker } from './harness.mjs';

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
  const { handler } = compiled(name.replaceAll(' ', '-'), code);
  downlevelled.push({ name, handler });
  declare(name, [], handler, { limit });
}

// After the first hang of such a route its requests note where their promises are made.
for (const { name, handler } of downlevelled) {
  const context = new AwaitContext(new Uint32Array(1), 0);
  context.captureCreations();
  tracker.run(context, () => ownAwait(handler()));
  await new Promise((resolve) => setTimeout(resolve, 10));
  const created = collect([context])
    .stacks.get(context)
    .flatMap((stack) => (stack.created ?? []).filter((frame) => frame.kind === 'app'));
  const seen = new Set(created.map((frame) => frame.function.split('.').at(-1)));
  check(
    `${name}: armed, where its promises were made`,
    ['query', 'loadUser', 'handler'].filter((x) => !seen.has(x)),
    [],
  );
  context.release();
}

await report(import.meta.url, { files: [native.file], cleanUp: () => rmSync(folder, { recursive: true }) });

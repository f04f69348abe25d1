import {
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  realpathSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { get } from 'node:http';
import { createRequire } from 'node:module';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import type { Dump, DumpRequest } from '@hangwatch/protocol';
import { CollectorStub, nodeBinaries, Scenario } from '@hangwatch/test-utils';
import { type BuildOptions, buildSync } from 'esbuild';
import ts from 'typescript';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from 'vitest';

const SOURCES = fileURLToPath(new URL('../scenarios/source-maps/src', import.meta.url));
const MODULES = fileURLToPath(new URL('../node_modules', import.meta.url));

const SUPPORT = createRequire(import.meta.url).resolve('source-map-support/register');

/** Holds what is installed, and an application for each way to build it. */
let root: string;
/** The application: its sources, and what was built of them. */
let app: string;
const src = (file: string) => join(app, 'src', file);
const dist = (file: string) => join(app, 'dist', file);

beforeAll(() => {
  root = realpathSync(mkdtempSync(join(tmpdir(), 'hangwatch-maps-')));
  const library = join(root, 'node_modules/slow-lib');
  mkdirSync(library, { recursive: true });
  symlinkSync(join(MODULES, '@hangwatch'), join(root, 'node_modules/@hangwatch'));
  writeFileSync(join(library, 'package.json'), '{"name":"slow-lib","version":"1.0.0","main":"index.js"}');
  writeFileSync(join(library, 'index.js'), 'exports.slowly = async (job) => {\n  await null;\n  await job();\n};\n');
});
afterAll(() => rmSync(root, { recursive: true, force: true }));

/** Builds the application in a folder of its own, once for all versions of Node. */
function inApp(name: string, build: () => void): void {
  app = join(root, name);
  if (existsSync(app)) return;
  mkdirSync(join(app, 'src'), { recursive: true });
  mkdirSync(join(app, 'dist'));
  writeFileSync(join(app, 'package.json'), '{"type":"module"}');
  for (const file of readdirSync(SOURCES)) writeFileSync(src(file), readFileSync(join(SOURCES, file)));
  build();
}

/** The compiler itself, file by file. */
function compile(options: ts.CompilerOptions): void {
  const compilerOptions: ts.CompilerOptions = {
    target: ts.ScriptTarget.ES2022,
    module: ts.ModuleKind.NodeNext,
    rootDir: join(app, 'src'),
    outDir: join(app, 'dist'),
    // What it imports, and whether the types are right, is not the question here.
    isolatedModules: true,
    noResolve: true,
    noLib: true,
    types: [],
    ...options,
  };
  const { emitSkipped, diagnostics } = ts.createProgram([src('server.ts'), src('lookup.ts')], compilerOptions).emit();
  expect(diagnostics.map(({ messageText }) => messageText)).toEqual([]);
  expect(emitSkipped).toBe(false);
}

function bundle(options: BuildOptions): void {
  buildSync({
    entryPoints: [src('server.ts')],
    outfile: dist('server.js'),
    bundle: true,
    platform: 'node',
    format: 'esm',
    target: 'node20',
    external: ['@hangwatch/core'],
    logLevel: 'error',
    ...options,
  });
}

/** A bundle whose map was changed afterwards. */
function bundleWith(change: (map: object) => object): void {
  bundle({ sourcemap: true });
  const file = dist('server.js.map');
  writeFileSync(file, JSON.stringify(change(JSON.parse(readFileSync(file, 'utf8')) as object)));
}

function inCommonJs(build: () => void): void {
  writeFileSync(join(app, 'package.json'), '{"type":"commonjs"}');
  build();
}

/** Where what follows each mark begins, `file:line:column`. */
function marks(): Record<string, string> {
  const found: Record<string, string> = {};
  for (const file of readdirSync(SOURCES)) {
    readFileSync(src(file), 'utf8')
      .split('\n')
      .forEach((text, index) => {
        for (const { 0: mark, 1: name = '', index: at } of text.matchAll(/\/\*@([\w-]+)\*\/ /g)) {
          found[name] = `${src(file)}:${index + 1}:${at + mark.length + 1}`;
        }
      });
  }
  return found;
}

describe.each(nodeBinaries())('on Node $version', ({ path: node }) => {
  let collector: CollectorStub;
  let scenario: Scenario | undefined;
  const aborts: AbortController[] = [];

  beforeEach(async () => {
    collector = await CollectorStub.start();
  });
  afterEach(async () => {
    for (const abort of aborts.splice(0)) abort.abort();
    await scenario?.stop();
    await collector.close();
    expect(collector.refused).toEqual([]);
  });

  /** Starts what was built, makes a request hang, and returns the dump. */
  async function hang(execArgv: readonly string[] = []): Promise<{ dump: Dump; stuck: DumpRequest }> {
    scenario = new Scenario(dist('server.js'), { node, execArgv, env: { HANGWATCH_COLLECTOR: collector.url } });
    const { port } = await scenario.until(({ stdout }) =>
      stdout.includes('\n') ? (JSON.parse(stdout.split('\n')[0] ?? '') as { port: number }) : undefined,
    );
    const abort = new AbortController();
    aborts.push(abort);
    get({ host: '127.0.0.1', port, path: '/hang', signal: abort.signal, agent: false }).on('error', () => undefined);
    const dump = await collector.next(({ kind }) => kind === 'hang');
    const stuck = dump.requests.find(({ state }) => state === 'stuck');
    if (stuck === undefined) throw new Error('no request is stuck');
    return { dump, stuck };
  }

  /** The places of the request's own await, `kind file:line:column`, innermost first. */
  const placesOf = ({ stacks }: DumpRequest) =>
    (stacks[0] ?? []).map(({ kind, file, line, column }) => `${kind} ${file}:${line}:${column}`);

  const sourcePlaces = () => {
    const { lookup, job, find, hang: route, handler } = marks();
    return { own: [`app ${lookup}`, `app ${job}`], outer: [`app ${find}`, `app ${route}`, `app ${handler}`] };
  };

  const builds: [string, () => void, string[]?][] = [
    ['of tsc, ES modules, maps beside them', () => compile({ sourceMap: true })],
    ['of tsc, inline maps', () => compile({ inlineSourceMap: true, inlineSources: true })],
    ['of tsc, CommonJS', () => inCommonJs(() => compile({ sourceMap: true }))],
    ['of tsc, under --enable-source-maps', () => compile({ sourceMap: true }), ['--enable-source-maps']],
    ['of tsc, with source-map-support', () => compile({ sourceMap: true }), ['--require', SUPPORT]],
    ['bundled into one file', () => bundle({ sourcemap: true })],
    ['bundled and minified, the map inline', () => bundle({ sourcemap: 'inline', minify: true })],
    [
      'bundled and minified, CommonJS',
      () => inCommonJs(() => bundle({ sourcemap: true, minify: true, format: 'cjs' })),
    ],
    ['with a map of 12 MB', () => bundleWith((map) => ({ ...map, sourcesContent: ['x'.repeat(12e6), null] }))],
    [
      'with an index map',
      () => bundleWith((map) => ({ version: 3, sections: [{ offset: { line: 0, column: 0 }, map }] })),
    ],
  ];

  test.each(builds)('%s: every place is that of the source, to the column', async (name, build, execArgv) => {
    inApp(name, build);
    const { dump, stuck } = await hang(execArgv);
    const { own, outer } = sourcePlaces();
    const places = placesOf(stuck);
    const bundled = !readdirSync(dist('')).includes('lookup.js');
    const slowly = `${realpathSync(join(root, 'node_modules/slow-lib'))}/index.js`;
    expect(places).toEqual([...own, `dependency ${slowly}:3:3`, ...outer]);
    for (const { generated, file, kind } of stuck.stacks[0] ?? []) {
      // What is installed is shown as it is installed; bundled, it is known to be a dependency's.
      if (bundled || kind === 'app') expect(generated?.file).toMatch(/\/dist\/(server|lookup)\.js$/);
      else expect([file, generated]).toEqual([slowly, undefined]);
    }
    const { file, line } = stuck.checkpoint;
    expect(marks()['checkpoint']).toContain(`${file}:${line}:`);
    const { lookup = '' } = marks();
    expect(dump.verdict.summary).toContain(`(${lookup})`);
    expect(dump.evidence?.note).toBeUndefined();
  });

  test('a rebuild that moves and renames everything keeps the fingerprint', async () => {
    const rebuilt = 'rebuilt';
    inApp(rebuilt, () => compile({ sourceMap: true }));
    const first = (await hang()).dump.verdict.fingerprint;
    await scenario?.stop();
    collector.dumps.length = 0;
    bundle({ sourcemap: true, minify: true });
    expect((await hang()).dump.verdict.fingerprint).toBe(first);
    rmSync(app, { recursive: true });
  });

  const useless: [string, () => void, RegExp | undefined][] = [
    ['without a map', () => compile({}), undefined],
    [
      'whose map is missing',
      () => {
        bundle({ sourcemap: true });
        rmSync(dist('server.js.map'));
      },
      /\/dist\/server\.js is shown as JavaScript: the source map that it names is not there$/,
    ],
    [
      'whose map is broken',
      () => {
        bundle({ sourcemap: true });
        writeFileSync(dist('server.js.map'), '{"version":3,"mappings":"');
      },
      /its source map is broken$/,
    ],
    [
      'whose map is some other file, outside',
      () => {
        bundle({ sourcemap: true });
        const script = readFileSync(dist('server.js'), 'utf8');
        writeFileSync(dist('server.js'), script.replace('=server.js.map', '=../../../../../../etc/passwd'));
      },
      /its source map is broken$/,
    ],
    [
      'whose map is 60 MB of nothing but mappings',
      () => {
        bundleWith((map) => ({ ...map, mappings: `${'AAAA,'.repeat(12e6)}AAAA` }));
      },
      /its source map (is too much|was not read in time)/,
    ],
  ];

  test.each(useless)('%s: the report comes, with places in JavaScript', async (name, build, note) => {
    inApp(name, build);
    const { dump, stuck } = await hang();
    const places = placesOf(stuck);
    expect(places.length).toBeGreaterThanOrEqual(5);
    for (const place of places)
      expect(place).toMatch(/^(app .+\/dist\/\w+\.js|dependency .+\/slow-lib\/index\.js):\d+:\d+$/);
    expect(stuck.stacks[0]?.every(({ generated }) => generated === undefined)).toBe(true);
    if (note === undefined) expect(dump.evidence?.note).toBeUndefined();
    else expect(dump.evidence?.note).toMatch(note);
    expect(JSON.stringify(dump)).not.toContain('root:');
  });
});

import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { get } from 'node:http';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { CollectorStub, Scenario } from '@hangwatch/test-utils';
import { build } from 'esbuild';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import webpack from 'webpack';

const ENTRY = fileURLToPath(new URL('../scenarios/chaos/bundled.mjs', import.meta.url));
/** Inside the workspace, so that packages are found from here as from an application's `dist`. */
const INSIDE = fileURLToPath(new URL('../.bundles', import.meta.url));
const WORKSPACE = new URL('../..', import.meta.url).href;
let outside: string;

type Bundle = (file: string) => Promise<unknown>;
const esbuild =
  (format: 'esm' | 'cjs', minify: boolean, external: string[] = []): Bundle =>
  (outfile) =>
    build({
      entryPoints: [ENTRY],
      outfile,
      format,
      minify,
      external,
      bundle: true,
      platform: 'node',
      target: 'node20',
      logLevel: 'silent',
      // Not this workspace's, whose paths lead to the sources.
      tsconfigRaw: '{}',
      // What esbuild's users do about packages in CommonJS inside an ES module.
      ...(format === 'esm' && {
        banner: {
          js: "import { createRequire as makeRequire } from 'node:module'; const require = makeRequire(import.meta.url);",
        },
      }),
    });
/**
 * What Next.js gives to webpack for the server, where `serverExternalPackages` names a package: a module that is required, whatever part of the package was
 * asked for and wherever it is found, from CommonJS that is minified.
 * https://github.com/vercel/next.js/blob/canary/packages/next/src/build/handle-externals.ts
 */
const asNextDoes =
  (name: string) =>
  ({ context = '', request = '', getResolve }: webpack.ExternalItemFunctionData, done: Decided): void => {
    if (getResolve === undefined || /^[./]/.test(request)) done();
    else
      getResolve({ conditionNames: ['node', 'require'] })(context, request, (_error, found) => {
        const isIts = typeof found === 'string' && PACKAGE_OF[name]?.test(found) === true;
        done(null, isIts ? `commonjs ${request}` : undefined);
      });
  };
type Decided = (error?: Error | null, external?: string) => void;
/** In the workspace a package is found where its link leads. */
const PACKAGE_OF: Readonly<Record<string, RegExp>> = {
  '@hangwatch/core': /[\\/](?:node_modules[\\/]@hangwatch|packages)[\\/]core[\\/].*\.c?js$/,
};
const withWebpack =
  (externals?: ReturnType<typeof asNextDoes>): Bundle =>
  (file) =>
    new Promise((resolve, reject) => {
      webpack(
        {
          mode: 'production',
          target: 'node20',
          entry: ENTRY,
          output: { path: join(file, '..'), filename: 'bundle.cjs', library: { type: 'commonjs2' } },
          ...(externals === undefined ? {} : { externals }),
        },
        (error, stats) => {
          if (error !== null) reject(error);
          else if (stats?.hasErrors() === true) reject(new Error(stats.toString({ all: false, errors: true })));
          else resolve(undefined);
        },
      );
    });

const BUNDLERS: readonly (readonly [name: string, file: string, bundle: Bundle])[] = [
  ['esbuild, an ES module', 'bundle.mjs', esbuild('esm', false)],
  ['esbuild, CommonJS, minified', 'bundle.cjs', esbuild('cjs', true)],
  ['esbuild, external', 'bundle.mjs', esbuild('esm', false, ['@hangwatch/core'])],
  ['webpack', 'bundle.cjs', withWebpack()],
  ['webpack, by the rules of Next.js, external', 'bundle.cjs', withWebpack(asNextDoes('@hangwatch/core'))],
];

beforeAll(() => {
  outside = mkdtempSync(join(tmpdir(), 'hangwatch-bundles-'));
});
afterAll(() => {
  rmSync(outside, { recursive: true, force: true });
  rmSync(INSIDE, { recursive: true, force: true });
});

function request(port: number, path: string): Promise<number | undefined> {
  return new Promise((resolve) => {
    get({ host: '127.0.0.1', port, path, agent: false }, (response) => {
      response.resume();
      resolve(response.statusCode);
    }).on('error', () => resolve(undefined));
  });
}

const portOf = (scenario: Scenario) =>
  scenario.until(({ stdout }) => (stdout.includes('\n') ? Number(stdout) : undefined));

describe.each(BUNDLERS)('a server bundled by %s', (name, file, bundle) => {
  const folder = name.replaceAll(/\W+/g, '-');

  test('reports its hang where the package is installed beside it', async () => {
    const path = join(INSIDE, folder, file);
    mkdirSync(join(INSIDE, folder), { recursive: true });
    await bundle(path);
    const isExternal = /(require\(|from ?)["']@hangwatch\/core["']/.test(readFileSync(path, 'utf8'));
    expect(isExternal).toBe(name.endsWith('external'));
    const collector = await CollectorStub.start();
    const scenario = new Scenario(path, { env: { HANGWATCH_COLLECTOR: collector.url } });
    try {
      const port = await portOf(scenario);
      void request(port, '/hang');
      const dump = await collector.next(({ kind }) => kind === 'hang');
      expect(dump.requests[0]?.path).toBe('/hang');
      expect(dump.requests[0]?.stacks[0]?.length).toBeGreaterThanOrEqual(2);
      expect(dump.requests[0]?.awaits?.[0]?.own).toBe(true);
      expect(scenario.stderr).toBe('');
    } finally {
      await scenario.stop();
      await collector.close();
    }
  });

  test.skipIf(name.endsWith('external'))('says once what to do where it is not, and serves', async () => {
    mkdirSync(join(outside, folder), { recursive: true });
    // webpack writes the place of each module, as it was when it built, into the bundle: that machine is another one.
    const text = readFileSync(join(INSIDE, folder, file), 'utf8');
    writeFileSync(join(outside, folder, file), text.replaceAll(WORKSPACE, 'file:///built/elsewhere/'));
    // Without NODE_PATH, which pnpm's commands set, and in a folder of its own: as in a container.
    const scenario = new Scenario(join(outside, folder, file), { env: { NODE_PATH: '' }, cwd: outside });
    try {
      const port = await portOf(scenario);
      expect([await request(port, '/ok'), await request(port, '/ok')]).toEqual([200, 200]);
      await request(port, '/exit');
      const { code, stderr } = await scenario.ended;
      expect(code).toBe(0);
      expect(stderr.trim().split('\n')).toEqual([
        expect.stringMatching(/mark @hangwatch\/core as external.*HANGWATCH_ERR_WATCHDOG_START/),
      ]);
    } finally {
      await scenario.stop();
    }
  });
});

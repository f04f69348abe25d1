import { mkdirSync, mkdtempSync, realpathSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { findWatchdogFile } from './watchdog-file.ts';

let root: string;
beforeEach(() => {
  root = realpathSync(mkdtempSync(join(tmpdir(), 'hangwatch-test-')));
});
afterEach(() => rmSync(root, { recursive: true, force: true }));

function write(path: string, text = ''): string {
  mkdirSync(dirname(join(root, path)), { recursive: true });
  writeFileSync(join(root, path), text);
  return join(root, path);
}

function install(folder: string, version: string): string {
  write(`${folder}/@hangwatch/core/package.json`, JSON.stringify({ name: '@hangwatch/core', version }));
  return write(`${folder}/@hangwatch/core/dist/watchdog/watchdog.cjs`);
}

const url = (path: string) => pathToFileURL(join(root, path)).href;

test('lies beside the module', () => {
  const file = write('dist/watchdog/watchdog.cjs');
  expect(findWatchdogFile({ self: url('dist/index.js'), from: [], version: '1.0.0' })).toBe(file);
});

test("of a bundle is the installed package's", () => {
  const file = install('node_modules', '1.0.0');
  expect(findWatchdogFile({ self: url('dist/bundle.js'), from: [], version: '1.0.0' })).toBe(file);
});

test('is found from the application where the bundle does not know its own place', () => {
  const file = install('node_modules', '1.0.0');
  expect(findWatchdogFile({ self: undefined, from: [join(root, 'server.js')], version: '1.0.0' })).toBe(file);
  expect(
    findWatchdogFile({ self: 'webpack-internal:///core', from: [join(root, 'server.js')], version: '1.0.0' }),
  ).toBe(file);
});

test('is found through the adapter, which alone may see the package', () => {
  write('node_modules/@hangwatch/koa/package.json', JSON.stringify({ name: '@hangwatch/koa', main: 'index.cjs' }));
  write('node_modules/@hangwatch/koa/index.cjs');
  const file = install('node_modules/@hangwatch/koa/node_modules', '1.0.0');
  expect(findWatchdogFile({ self: url('dist/bundle.js'), from: [], version: '1.0.0' })).toBe(file);
});

test('that is nowhere is an error that says what to do', () => {
  const find = () =>
    findWatchdogFile({ self: url('dist/bundle.js'), from: [join(root, 'server.js')], version: '1.0.0' });
  // With NODE_PATH, as pnpm's commands set it, another version may be found from anywhere.
  expect(find).toThrow(/@hangwatch\/core.* is bundled.*mark @hangwatch\/core as external/);
  install('node_modules', '2.0.0');
  expect(find).toThrow(/@hangwatch\/core 1\.0\.0 is bundled, and the one that is installed is .*2\.0\.0/);
});

import { execFileSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, rmSync, symlinkSync } from 'node:fs';
import { createRequire } from 'node:module';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { transpileTo } from './testing/transpile.ts';

let root: string;

beforeAll(() => {
  root = mkdtempSync(join(tmpdir(), 'hangwatch-test-'));
  transpileTo(root);
  mkdirSync(join(root, 'node_modules'));
  symlinkSync(
    dirname(createRequire(import.meta.url).resolve('undici/package.json')),
    join(root, 'node_modules', 'undici'),
  );
});
afterAll(() => rmSync(root, { recursive: true, force: true }));

/** Files of undici that a process has loaded, once its agent is made; the global dispatcher besides. */
function loadedBy(proxied: boolean): { files: string[]; agent: string; global: boolean } {
  const script = `
    import { createRequire } from 'node:module';
    import { loadUndici } from ${JSON.stringify(join(root, 'load-undici.js'))};
    const agent = loadUndici(${proxied})({});
    const files = Object.keys(createRequire(import.meta.url).cache).map((file) => file.replace(/^.*node_modules.undici./, ''));
    const global = Symbol.for('undici.globalDispatcher.1') in globalThis;
    console.log(JSON.stringify({ files, agent: agent.constructor.name, global }));`;
  const env = { ...process.env, HTTP_PROXY: proxied ? 'http://127.0.0.1:1' : '' };
  const output = execFileSync(process.execPath, ['--input-type=module', '-e', script], { env, encoding: 'utf8' });
  return JSON.parse(output);
}

it('loads no more of undici than the agent where there is no proxy', () => {
  const { files, agent, global } = loadedBy(false);
  expect(agent).toBe('Agent');
  expect(files).toContain('lib/dispatcher/agent.js');
  expect(files).not.toContain('index.js');
  expect(files.length).toBeLessThan(40);
  expect(global).toBe(false);
});

it('loads all of it for a proxy', () => {
  const { files, agent } = loadedBy(true);
  expect(agent).toBe('EnvHttpProxyAgent');
  expect(files).toContain('index.js');
});

import { execFileSync, spawnSync } from 'node:child_process';
import { cpSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';

const root = fileURLToPath(new URL('../..', import.meta.url));
const bin = (name: string) => path.join(root, 'node_modules/.bin', name);

interface Manifest {
  readonly name: string;
  readonly private?: boolean;
  readonly dependencies?: Record<string, string>;
}
const folders = readdirSync(path.join(root, 'packages')).filter((name) => manifest(name).private !== true);

function manifest(folder: string): Manifest {
  return JSON.parse(readFileSync(path.join(root, 'packages', folder, 'package.json'), 'utf8')) as Manifest;
}

const temporary = mkdtempSync(path.join(tmpdir(), 'hangwatch-packaging-'));
const tarballs = new Map<string, string>();

beforeAll(() => {
  const { packageManager } = JSON.parse(readFileSync(path.join(root, 'package.json'), 'utf8')) as {
    packageManager: string;
  };
  for (const folder of folders) {
    const out = path.join(temporary, 'tarballs', folder);
    mkdirSync(out, { recursive: true });
    execFileSync('npx', ['--yes', packageManager, 'pack', '--pack-destination', out], {
      cwd: path.join(root, 'packages', folder),
    });
    const [tarball] = readdirSync(out);
    if (tarball === undefined) throw new Error(`pnpm pack made nothing of ${folder}`);
    tarballs.set(folder, path.join(out, tarball));
  }
}, 240_000);

afterAll(() => {
  rmSync(temporary, { recursive: true, force: true });
});

function check(command: string, args: string[], cwd = root): void {
  const { status, stdout, stderr } = spawnSync(command, args, { cwd, encoding: 'utf8' });
  expect(status, `${command} ${args.join(' ')}\n${stdout}\n${stderr}`).toBe(0);
}

describe.each(folders)('%s', (folder) => {
  test('is a package that publint finds no fault with', () => {
    check(bin('publint'), ['run', '--strict', tarballs.get(folder) ?? '']);
  });

  test('has types that are right for ESM and CommonJS', () => {
    check(bin('attw'), [tarballs.get(folder) ?? '', '--profile', 'node16']);
  });

  test('packs a licence, a README and no tests', () => {
    const files = execFileSync('tar', ['-tzf', tarballs.get(folder) ?? ''], { encoding: 'utf8' });
    expect(files).toContain('package/README.md');
    expect(files).toContain('package/LICENSE');
    expect(files).not.toMatch(/\.test\.|\/src\//);
  });
});

describe('the packed packages, unpacked beside each other', () => {
  const project = path.join(temporary, 'project');

  beforeAll(() => {
    // Third parties come from the workspace's own installation: what is checked is what we pack, not the registry.
    for (const folder of folders) {
      const { name, dependencies = {} } = manifest(folder);
      const target = path.join(project, 'node_modules', name);
      mkdirSync(target, { recursive: true });
      execFileSync('tar', ['-xzf', tarballs.get(folder) ?? '', '--strip-components=1', '-C', target]);
      for (const dependency of Object.keys(dependencies)) {
        if (!folders.some((other) => manifest(other).name === dependency))
          link(path.join('packages', folder), dependency);
      }
    }
    for (const name of ['express', 'fastify', 'koa', '@types/express', '@types/koa']) link('test', name);
    link('.', '@types/node');
    cpSync(path.join(root, 'test/types'), project, { recursive: true });
    writeFileSync(path.join(project, 'package.json'), '{"type":"module"}');
  });

  function link(from: string, name: string): void {
    const target = path.join(project, 'node_modules', name);
    mkdirSync(path.dirname(target), { recursive: true });
    rmSync(target, { recursive: true, force: true });
    symlinkSync(path.join(root, from, 'node_modules', name), target);
  }

  test('type-check in an application, ESM and CommonJS', () => {
    const flags = [
      '--noEmit',
      '--strict',
      '--skipLibCheck',
      '--module',
      'nodenext',
      '--target',
      'es2022',
      '--types',
      'node',
    ];
    check(bin('tsc'), [...flags, 'esm.mts', 'commonjs.cts'], project);
  });

  test('load, with import and with require', () => {
    const names = folders.map((folder) => manifest(folder).name);
    const esm = `for (const name of ${JSON.stringify(names)}) if (Object.keys(await import(name)).length === 0) throw new Error(name);`;
    check(process.execPath, ['--input-type=module', '-e', esm], project);
    const commonjs = `for (const name of ${JSON.stringify(names)}) if (Object.keys(require(name)).length === 0) throw new Error(name);
      for (const name of ['express', 'fastify', 'koa']) {
        const hangwatch = require('@hangwatch/' + name);
        if (typeof hangwatch !== 'function' || hangwatch.hangwatch !== hangwatch || hangwatch.default !== hangwatch) throw new Error(name);
      }`;
    check(process.execPath, ['--input-type=commonjs', '-e', commonjs], project);
  });
});

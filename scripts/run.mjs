#!/usr/bin/env node
// One way in for every `npm run …`: installs and builds what is missing or out of date, then runs the task.
// Needs nothing but Node and npm: pnpm comes through npx, in the version that package.json pins.
import { spawnSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { existsSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { fileURLToPath } from 'node:url';

const root = fileURLToPath(new URL('..', import.meta.url));
const { packageManager } = JSON.parse(readFileSync(path.join(root, 'package.json'), 'utf8'));
const bin = (name) => path.join(root, 'node_modules/.bin', name);

function run(command, args, options = {}) {
  const result = spawnSync(command, args, { cwd: root, stdio: 'inherit', ...options });
  if (result.error) throw result.error;
  if (result.status !== 0) process.exit(result.status ?? 1);
}

/** Runs `work` unless the files that it depends on are as they were when it last succeeded. */
function once(name, files, outputs, work) {
  const hash = createHash('sha256').update(process.version);
  for (const file of files) hash.update(file).update(readFileSync(path.join(root, file)));
  const digest = hash.digest('hex');
  const stamp = path.join(root, 'node_modules', `.hangwatch-${name}`);
  const fresh = existsSync(stamp) && readFileSync(stamp, 'utf8') === digest;
  if (fresh && outputs.every((output) => existsSync(path.join(root, output)))) return;
  console.log(`hangwatch: ${name}…`);
  work();
  writeFileSync(stamp, digest);
}

const children = (folder) =>
  readdirSync(path.join(root, folder), { withFileTypes: true }).filter((x) => x.isDirectory());
const packages = inBuildOrder(children('packages').map((x) => `packages/${x.name}`));
const workspaces = [...packages, ...children('examples').map((x) => `examples/${x.name}`), 'test'];
const manifests = workspaces
  .map((folder) => `${folder}/package.json`)
  .filter((file) => existsSync(path.join(root, file)));
const sources = (folder) =>
  readdirSync(path.join(root, folder), { withFileTypes: true, recursive: true })
    .filter((x) => x.isFile() && !x.name.endsWith('.test.ts'))
    .map((x) => path.relative(root, path.join(x.parentPath ?? x.path, x.name)))
    .sort();

/** Dependencies first: a package's declarations are built against those of the packages that it imports. */
function inBuildOrder(folders) {
  const byName = new Map(folders.map((folder) => [manifestOf(folder).name, folder]));
  const ordered = new Set();
  const visit = (folder) => {
    const { dependencies, devDependencies } = manifestOf(folder);
    for (const name of Object.keys({ ...dependencies, ...devDependencies }))
      if (byName.has(name)) visit(byName.get(name));
    ordered.add(folder);
  };
  folders.forEach(visit);
  return [...ordered];
}

function manifestOf(folder) {
  return JSON.parse(readFileSync(path.join(root, folder, 'package.json'), 'utf8'));
}

function install() {
  once('install', ['package.json', 'pnpm-lock.yaml', 'pnpm-workspace.yaml', ...manifests], [], () => {
    run('npx', ['--yes', packageManager, 'install', '--frozen-lockfile', '--prefer-offline'], {
      shell: process.platform === 'win32',
    });
  });
}

function build() {
  install();
  for (const folder of packages) {
    once(
      `build-${path.basename(folder)}`,
      [
        `${folder}/package.json`,
        `${folder}/tsdown.config.ts`,
        'scripts/package-build.ts',
        'tsconfig.base.json',
        'tsconfig.build.json',
        ...sources(`${folder}/src`),
      ],
      [`${folder}/dist/index.js`, `${folder}/dist/index.cjs`],
      () => run(bin('tsdown'), [], { cwd: path.join(root, folder) }),
    );
  }
}

const tasks = {
  setup: build,
  build,
  lint() {
    build();
    run(bin('biome'), ['check', '.']);
    run(bin('tsc'), ['-b']);
    for (const project of ['examples', 'examples/express-cjs']) run(bin('tsc'), ['-p', project]);
    run(bin('depcruise'), ['--config', '.dependency-cruiser.cjs', 'packages']);
    run(bin('knip'), ['--no-config-hints']);
    console.log('lint: ok');
  },
  format() {
    install();
    run(bin('biome'), ['check', '--write', '.']);
  },
  test(args) {
    build();
    if (args.length === 0) run(process.execPath, [fileURLToPath(import.meta.url), 'lint']);
    run(bin('vitest'), ['run', ...args]);
  },
  demo(args) {
    build();
    run(process.execPath, ['examples/demo/demo.mjs', ...args]);
  },
  bench(args) {
    build();
    run(process.execPath, ['test/bench/bench.mjs', ...args]);
  },
};

const [name = 'setup', ...args] = process.argv.slice(2);
const task = tasks[name];
if (task === undefined) {
  console.error(`run.mjs: unknown task ${JSON.stringify(name)}; one of ${Object.keys(tasks).join(', ')} is expected`);
  process.exit(2);
}
task(args);

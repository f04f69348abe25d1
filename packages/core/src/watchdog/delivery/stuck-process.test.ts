import { execFileSync, spawn } from 'node:child_process';
import { mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { FakeCollector } from './testing/fake-collector.ts';
import { makeDump } from './testing/make-dump.ts';
import { transpileTo } from './testing/transpile.ts';

let root: string;

beforeAll(() => {
  root = mkdtempSync(join(tmpdir(), 'hangwatch-test-'));
  transpileTo(root);
  const modules = join(root, 'node_modules');
  mkdirSync(join(modules, '@hangwatch', 'report'), { recursive: true });
  writeFileSync(join(modules, '@hangwatch', 'report', 'package.json'), '{"type":"module","main":"index.js"}');
  writeFileSync(join(modules, '@hangwatch', 'report', 'index.js'), 'export const formatDump = () => "report";');
  symlinkSync(dirname(createRequire(import.meta.url).resolve('undici/package.json')), join(modules, 'undici'));
  execFileSync('mkfifo', [join(root, 'never')]);
  writeFileSync(
    join(root, 'worker.js'),
    `import { parentPort, workerData } from 'node:worker_threads';
     import { createDelivery } from './delivery.js';
     setInterval(() => {}, 1_000);
     const delivery = createDelivery({ ...workerData.options, onProblem: ({ message }) => console.error(message) });
     // Given time to get stuck: nothing has been posted, and no HTTP client loaded, before.
     setTimeout(() => delivery.send(workerData.dump), 300);
     parentPort.postMessage('ready');`,
  );
  writeFileSync(
    join(root, 'main.js'),
    `import { open } from 'node:fs';
     import { Worker } from 'node:worker_threads';
     const workerData = JSON.parse(process.argv[2]);
     const worker = new Worker(new URL('./worker.js', import.meta.url), { workerData });
     worker.once('message', () => {
       for (let thread = 0; thread < 4; thread += 1) open(new URL('./never', import.meta.url), 'r', () => {});
       // stdout and stderr are pipes that nobody reads.
       for (let line = 0; line < 10; line += 1) { process.stdout.write('x'.repeat(100_000)); process.stderr.write('x'.repeat(100_000)); }
       setImmediate(() => Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0));
     });`,
  );
});
afterAll(() => rmSync(root, { recursive: true, force: true }));

it.skipIf(process.platform === 'win32').each(['127.0.0.1', 'localhost'])(
  'delivers to %s out of a process whose main thread, thread pool, stdout and stderr are stuck',
  async (host) => {
    const collector = await new FakeCollector().listen();
    const options = {
      collectors: [collector.url.replace('127.0.0.1', host)],
      spoolDir: join(root, 'spool'),
      instance: 'one',
      userAgent: 'test',
    };
    const child = spawn(process.execPath, [join(root, 'main.js'), JSON.stringify({ options, dump: makeDump('a') })]);
    child.stdout.pause();
    child.stderr.pause();
    try {
      await collector.requests(1);
      expect(collector.ids).toEqual(['a']);
    } finally {
      child.kill('SIGKILL');
      await collector.close();
    }
  },
);

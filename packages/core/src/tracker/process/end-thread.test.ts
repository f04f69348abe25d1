import { execFileSync } from 'node:child_process';
import { once } from 'node:events';
import { closeSync, constants, mkdtempSync, openSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Worker } from 'node:worker_threads';
import { expect, test, vi } from 'vitest';
import { endThread } from './end-thread.ts';

test('a thread that can be ended has ended', async () => {
  const worker = new Worker('setInterval(() => {}, 1_000)', { eval: true });
  await once(worker, 'online');
  await endThread(worker, 30_000);
  expect(worker.threadId).toBe(-1);
});

// Opening a named pipe waits for its other end, as a disk that hangs is waited for: in the kernel.
test.skipIf(process.platform !== 'linux')('one that hangs in the kernel is not waited for any longer', async () => {
  const folder = mkdtempSync(join(tmpdir(), 'hangwatch-test-'));
  const pipe = join(folder, 'pipe');
  execFileSync('mkfifo', [pipe]);
  const threads = () => readdirSync('/proc/self/task');
  const others = new Set(threads());
  const worker = new Worker(
    `const { parentPort, workerData } = require('node:worker_threads');
     parentPort.postMessage('opens');
     require('node:fs').openSync(workerData, 'r');`,
    { eval: true, workerData: pipe },
  );
  await once(worker, 'message');
  const own = threads().filter((id) => !others.has(id));
  await expect
    .poll(() => own.map((id) => readFileSync(`/proc/self/task/${id}/stat`, 'utf8').replace(/^.*\) (.).*$/s, '$1')))
    .toEqual(own.map(() => 'S'));
  const ended = once(worker, 'exit');
  try {
    const counts: boolean[] = [];
    const ref = vi.spyOn(worker, 'ref').mockImplementation(() => void counts.push(true));
    const unref = vi.spyOn(worker, 'unref').mockImplementation(() => void counts.push(false));
    await endThread(worker, 200);
    expect(worker.threadId).not.toBe(-1);
    // What terminate() does, and that it is undone.
    expect(counts).toEqual([true, false]);
    ref.mockRestore();
    unref.mockRestore();
  } finally {
    worker.ref();
    closeSync(openSync(pipe, constants.O_RDWR | constants.O_NONBLOCK));
    await ended;
    rmSync(folder, { recursive: true });
  }
});

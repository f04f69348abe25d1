import { execFileSync, spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { closeSync, constants, mkdtempSync, openSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { transpileTo } from './testing/transpile.ts';

let root: string;

beforeAll(() => {
  root = mkdtempSync(join(tmpdir(), 'hangwatch-test-'));
  transpileTo(root);
  // Two megabytes of reports from a worker while the main thread is blocked; then the main thread exits.
  writeFileSync(
    join(root, 'worker.js'),
    `import { parentPort } from 'node:worker_threads';
     import { systemClock } from './clock.js';
     import { openStderr } from './stderr-target.js';
     import { StderrWriter } from './stderr-writer.js';
     setInterval(() => {}, 1_000);
     const writer = new StderrWriter({ clock: systemClock, open: openStderr, patienceMs: 300 });
     let written = 0; let lost = 0;
     for (let i = 0; i < 20; i += 1) {
       if (await writer.write('r' + i + ' ' + 'x'.repeat(99_990))) written += 1; else lost += 1;
       if (lost > 2) break;
     }
     parentPort.postMessage({ written, lost });`,
  );
  writeFileSync(
    join(root, 'main.js'),
    `import { writeFileSync } from 'node:fs';
     import { Worker } from 'node:worker_threads';
     // stderr: true leaves file descriptor 2 as it was inherited: blocking.
     const worker = new Worker(new URL('./worker.js', import.meta.url), { stderr: process.argv[3] === 'blocking' });
     worker.once('message', (result) => {
       const exitAt = Date.now();
       process.on('exit', () => writeFileSync(process.argv[2], JSON.stringify({ ...result, exitAt })));
       process.exit(0);
     });
     worker.once('error', (error) => { writeFileSync(process.argv[2], JSON.stringify({ error: String(error) })); process.exit(1); });`,
  );
});
afterAll(() => rmSync(root, { recursive: true, force: true }));

interface Result {
  written: number;
  lost: number;
  exitAt: number;
}

const readResult = (file: string): Result => JSON.parse(readFileSync(file, 'utf8')) as Result;

describe.skipIf(process.platform !== 'linux')('openStderr', () => {
  it.each([
    ['socket', ''],
    ['socket', 'blocking'],
    ['pipe', ''],
    ['pipe', 'blocking'],
  ])('never waits for the reader of a full %s %s', async (kind, flag) => {
    const file = join(root, `full-${kind}-${flag}.json`);
    // Node gives its children sockets; a named pipe is a pipe as a shell makes it. Nobody reads either.
    const fifo = join(root, `fifo-${flag}`);
    if (kind === 'pipe') execFileSync('mkfifo', [fifo]);
    const reader = kind === 'pipe' ? openSync(fifo, constants.O_RDONLY | constants.O_NONBLOCK) : undefined;
    const stderr = kind === 'pipe' ? openSync(fifo, constants.O_WRONLY) : 'pipe';
    const child = spawn(process.execPath, [join(root, 'main.js'), file, flag], {
      stdio: ['ignore', 'inherit', stderr],
    });
    child.stderr?.pause();
    await once(child, 'exit');
    for (const fd of [reader, stderr]) if (typeof fd === 'number') closeSync(fd);
    const result = readResult(file);
    expect(result.lost).toBeGreaterThan(0);
    expect(Date.now() - result.exitAt).toBeLessThan(2_000);
  });

  it.each(['', 'blocking'])('delivers everything to a pipe that is read, %s', (flag) => {
    const file = join(root, `read-${flag}.json`);
    const out = join(root, `read-${flag}.txt`);
    const command = `"$0" "$1" "$2" "$3" 2>&1 >/dev/null | cat > "$4"`;
    spawnSync('sh', ['-c', command, process.execPath, join(root, 'main.js'), file, flag, out], { stdio: 'ignore' });
    expect(readResult(file)).toMatchObject({ written: 20, lost: 0 });
    const lines = readFileSync(out, 'utf8').trimEnd().split('\n');
    expect(lines.map((line) => line.slice(0, line.indexOf(' ')))).toEqual(
      Array.from({ length: 20 }, (_, index) => `r${index}`),
    );
  });

  it('appends to a file as anybody else does', () => {
    const file = join(root, 'file.json');
    const out = join(root, 'file.txt');
    const command = `echo before >"$3"; { echo first >&2; "$0" "$1" "$2"; echo last >&2; } 2>>"$3"`;
    spawnSync('sh', ['-c', command, process.execPath, join(root, 'main.js'), file, out], { stdio: 'ignore' });
    expect(readResult(file)).toMatchObject({ written: 20, lost: 0 });
    const lines = readFileSync(out, 'utf8').trimEnd().split('\n');
    expect(lines).toHaveLength(23);
    expect(lines.at(-1)).toBe('last');
  });
});

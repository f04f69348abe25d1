import { ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { gzipSync } from 'node:zlib';
import { afterAll, beforeAll, beforeEach, describe, expect, it, vi } from 'vitest';
import { systemClock } from './clock.ts';
import { canStartNode } from './helper-process.ts';
import { Spool, type SpoolSettings } from './spool.ts';
import { spoolInProcess } from './spool-in-process.ts';
import { parseSpoolName } from './spool-names.ts';
import { type SpoolPort, spoolInThread } from './spool-port.ts';
import { ManualClock } from './testing/manual-clock.ts';
import { transpileTo } from './testing/transpile.ts';
import { until } from './testing/until.ts';

let built: string;
let spoolDir: string;

beforeAll(() => {
  built = mkdtempSync(join(tmpdir(), 'hangwatch-test-'));
  transpileTo(built);
  // A disk that hangs: the process never comes back from its first request.
  writeFileSync(
    join(built, 'hanging.js'),
    `import { writeFileSync } from 'node:fs'; import { join } from 'node:path';
     writeFileSync(join(JSON.parse(process.argv[2]).spoolDir, \`hangs-\${process.pid}\`), '');
     process.stdin.on('data', () => { Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, 20_000); process.exit(); });
     console.log('{"type":"ready"}');`,
  );
  writeFileSync(
    join(built, 'dying.js'),
    `process.stdin.on('data', () => process.exit(1)); console.log('{"type":"ready"}');`,
  );
  writeFileSync(
    join(built, 'telling.js'),
    `import { writeFileSync } from 'node:fs'; import { join } from 'node:path';
     writeFileSync(join(JSON.parse(process.argv[2]).spoolDir, 'pid'), String(process.pid));
     await import('./spool-process.js');`,
  );
  writeFileSync(join(built, 'broken.js'), 'throw new Error()');
});
afterAll(() => rmSync(built, { recursive: true, force: true }));
beforeEach(() => {
  spoolDir = mkdtempSync(join(built, 'spool-'));
});

const settings = (): SpoolSettings => ({
  spoolDir,
  destination: '01234567',
  instance: 'one',
  maxFiles: 10,
  maxBytes: 1e6,
  leaseMs: 300_000,
});

function portOf(file: string, clock = systemClock, fallback?: SpoolPort): SpoolPort {
  return spoolInProcess({
    file: join(built, file),
    settings: settings(),
    clock,
    fallback: fallback ?? failingPort,
  });
}

const failingPort: SpoolPort = {
  inThread: true,
  put: () => Promise.reject(new Error('fell back')),
  claim: () => Promise.reject(new Error('fell back')),
  release: () => Promise.reject(new Error('fell back')),
  discard: () => Promise.reject(new Error('fell back')),
  setAside: () => Promise.reject(new Error('fell back')),
  keepRecord: () => Promise.reject(new Error('fell back')),
  forgetRecord: () => Promise.reject(new Error('fell back')),
  close: () => undefined,
};

const gzip = gzipSync('{"id":"a"}');
const kinds = () => readdirSync(spoolDir).map((file) => parseSpoolName(file)?.state.kind);
/** The processes that were started to hang. */
const hanging = () => readdirSync(spoolDir).flatMap((file) => /^hangs-(\d+)$/.exec(file)?.slice(1).map(Number) ?? []);

describe('spoolInProcess', () => {
  it('does all that the spool does', async () => {
    const port = portOf('spool-process.js');
    expect(await port.put(gzip, 'ready')).toMatchObject({ evicted: 0 });
    const { claimed } = await port.claim();
    expect(claimed?.gzip.equals(gzip)).toBe(true);
    if (!claimed) throw new Error('nothing claimed');
    await port.release(claimed.file);
    expect(kinds()).toEqual(['ready']);
    const again = (await port.claim()).claimed;
    await port.setAside(again?.file ?? '', 'rejected');
    expect(kinds()).toEqual(['rejected']);
    const { file } = await port.put(gzip, 'claimed');
    await port.discard(file);
    expect(kinds()).toEqual(['rejected']);
    port.close();
  });

  it('passes failures on with code and message', async () => {
    const port = portOf('spool-process.js');
    await expect(port.discard('../victim')).rejects.toMatchObject({
      code: 'spool-failed',
      message: expect.stringContaining('no spool file'),
    });
    port.close();
  });

  it('does what was asked before it was closed, and then ends', async () => {
    const port = portOf('spool-process.js');
    const puts = [port.put(gzip, 'ready'), port.put(gzip, 'ready')];
    port.close();
    await Promise.all(puts);
    expect(kinds()).toEqual(['ready', 'ready']);
  });

  it('says that the disk hangs, leaves it alone for a minute, and tries again', async () => {
    const clock = new ManualClock();
    const port = portOf('hanging.js', clock);
    const stalled = expect(port.put(gzip, 'ready')).rejects.toMatchObject({ code: 'spool-stalled' });
    await until('it hangs', () => hanging().length === 1);
    await clock.advance(5_000);
    await stalled;
    await expect(port.claim()).rejects.toMatchObject({ code: 'spool-stalled' });
    expect(clock.pending).toBe(0);
    await until('its end', () => !isAlive(hanging()[0] ?? 0));
    await clock.advance(60_000);
    const again = expect(port.claim()).rejects.toMatchObject({ code: 'spool-stalled' });
    expect(clock.pending).toBe(1);
    await clock.advance(5_000);
    await again;
    port.close();
  });

  it('starts no new process while one that was killed is not gone: a disk that hangs holds it', async () => {
    const kill = vi.spyOn(ChildProcess.prototype, 'kill').mockReturnValue(true);
    const clock = new ManualClock();
    const port = portOf('hanging.js', clock);
    const stalled = expect(port.put(gzip, 'ready')).rejects.toMatchObject({ code: 'spool-stalled' });
    await until('it hangs', () => hanging().length === 1);
    await clock.advance(5_000);
    await stalled;
    expect(kill).toHaveBeenCalledWith('SIGKILL');
    for (let minutes = 0; minutes < 3; minutes++) {
      await clock.advance(60_000);
      const refused = expect(port.claim()).rejects.toMatchObject({ code: 'spool-stalled' });
      await clock.advance(5_000);
      await refused;
    }
    expect(clock.pending).toBe(0);
    const [first = 0] = hanging();
    expect(hanging()).toEqual([first]);
    await clock.advance(60_000);
    // What is asked before it is gone is done when it is.
    const again = expect(port.claim()).rejects.toMatchObject({ code: 'spool-stalled' });
    process.kill(first, 'SIGKILL');
    await until('another one', () => hanging().length === 2);
    kill.mockRestore();
    await clock.advance(5_000);
    await again;
    port.close();
  });

  it('starts anew after its process has died at work', async () => {
    const port = portOf('dying.js');
    await expect(port.claim()).rejects.toThrow('ended unexpectedly');
    await expect(port.claim()).rejects.toThrow('ended unexpectedly');
    port.close();
  });

  it.each(['broken.js', 'missing.js'])('falls back for good where no process can be started (%s)', async (file) => {
    const port = portOf(file, systemClock, spoolInThread(new Spool(settings())));
    expect(port.inThread).toBe(false);
    const { file: stored } = await port.put(gzip, 'ready');
    expect(port.inThread).toBe(true);
    expect(existsSync(join(spoolDir, stored))).toBe(true);
    expect((await port.claim()).claimed?.gzip.equals(gzip)).toBe(true);
    port.close();
  });

  it('ends its process when there has been nothing to do for five seconds', async () => {
    const clock = new ManualClock();
    const port = portOf('telling.js', clock);
    await port.claim();
    const first = Number(readFileSync(join(spoolDir, 'pid'), 'utf8'));
    await clock.advance(4_999);
    expect(isAlive(first)).toBe(true);
    await clock.advance(1);
    await until('its end', () => !isAlive(first));
    expect(clock.pending).toBe(0);
    await port.claim();
    const second = Number(readFileSync(join(spoolDir, 'pid'), 'utf8'));
    port.close();
    await until('its end', () => !isAlive(second));
  });
});

function isAlive(pid: number): boolean {
  try {
    return process.kill(pid, 0);
  } catch {
    return false;
  }
}

describe.skipIf(process.platform === 'win32')('in a process that exits', () => {
  /** Runs a script whose worker spools one dump while the disk does what `file` says; the main thread then exits. */
  async function exitWhile(file: string): Promise<number> {
    const report = join(spoolDir, 'exit.txt');
    writeFileSync(
      join(built, 'worker.js'),
      `import { workerData, parentPort } from 'node:worker_threads';
       import { spoolInProcess } from './spool-in-process.js';
       import { systemClock } from './clock.js';
       setInterval(() => {}, 1_000);
       const port = spoolInProcess({ ...workerData, clock: systemClock, fallback: undefined });
       port.put(Buffer.from(workerData.gzip, 'base64'), 'ready').catch(() => undefined);
       setTimeout(() => parentPort.postMessage('asked'), 300);`,
    );
    writeFileSync(
      join(built, 'exit.js'),
      `import { Worker } from 'node:worker_threads';
       import { writeFileSync } from 'node:fs';
       const worker = new Worker(new URL('./worker.js', import.meta.url), { workerData: JSON.parse(process.argv[2]) });
       worker.once('message', () => { writeFileSync(process.argv[3], String(Date.now())); process.exit(); });`,
    );
    const workerData = { file: join(built, file), settings: settings(), gzip: gzip.toString('base64') };
    const child = spawn(process.execPath, [join(built, 'exit.js'), JSON.stringify(workerData), report], {
      stdio: 'ignore',
    });
    await once(child, 'exit');
    return Date.now() - Number(readFileSync(report, 'utf8'));
  }

  it('process.exit returns although the disk hangs', async () => {
    expect(await exitWhile('hanging.js')).toBeLessThan(2_000);
  });

  it('the dump is on disk all the same when it does not', async () => {
    await exitWhile('spool-process.js');
    await until('a file in the spool', () => kinds().includes('ready'));
  });
});

it.each([
  ['/usr/local/bin/node', true],
  ['/usr/bin/nodejs', true],
  ['/opt/node20', true],
  ['/srv/shop', false],
  ['/srv/node-shop', false],
])('trusts %s to be Node: %s', (path, expected) => {
  expect(canStartNode(path)).toBe(expected);
});

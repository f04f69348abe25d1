import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { gzipSync } from 'node:zlib';
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { Spool, type SpoolSettings } from './spool.ts';
import { spoolInProcess } from './spool-in-process.ts';
import { parseSpoolName } from './spool-names.ts';
import { spoolInThread } from './spool-port.ts';
import { ManualClock, settle } from './testing/manual-clock.ts';
import { transpileTo } from './testing/transpile.ts';
import { until } from './testing/until.ts';

let built: string;
let spoolDir: string;

beforeAll(() => {
  built = mkdtempSync(join(tmpdir(), 'hangwatch-test-'));
  transpileTo(built);
  writeFileSync(
    join(built, 'telling.js'),
    `import { writeFileSync } from 'node:fs'; import { join } from 'node:path';
     writeFileSync(join(JSON.parse(process.argv[2]).spoolDir, 'pid'), String(process.pid));
     await import('./spool-process.js');`,
  );
  // A disk that hangs, and works the next time.
  writeFileSync(
    join(built, 'hanging-once.js'),
    `import { existsSync, writeFileSync } from 'node:fs'; import { join } from 'node:path';
     const hung = join(JSON.parse(process.argv[2]).spoolDir, 'hung');
     if (existsSync(hung)) await import('./spool-process.js');
     else {
       writeFileSync(hung, String(process.pid));
       process.stdin.on('data', () => Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, 20_000));
       console.log('{"type":"ready"}');
     }`,
  );
  // A thread that keeps a record, as the watchdog does.
  writeFileSync(
    join(built, 'keeper.js'),
    `import { parentPort, workerData } from 'node:worker_threads';
     import { spoolInProcess } from './spool-in-process.js';
     import { systemClock } from './clock.js';
     setInterval(() => {}, 1_000);
     const port = spoolInProcess({ ...workerData, clock: systemClock, fallback: undefined });
     await port.keepRecord(Buffer.from(workerData.gzip, 'base64'));
     parentPort.postMessage('kept');`,
  );
  writeFileSync(
    join(built, 'application.js'),
    `import { Worker } from 'node:worker_threads';
     const worker = new Worker(new URL('./keeper.js', import.meta.url), { workerData: JSON.parse(process.argv[2]) });
     worker.once('message', () => console.log('kept'));
     process.stdin.once('data', async () => { await worker.terminate(); console.log('terminated'); });`,
  );
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
const gzip = gzipSync('{"id":"a"}');
const kinds = () => readdirSync(spoolDir).flatMap((file) => parseSpoolName(file)?.state.kind ?? []);

describe.skipIf(process.platform === 'win32')('the record of a process', () => {
  /** A process whose watchdog has kept a record. */
  async function start() {
    const workerData = { file: join(built, 'telling.js'), settings: settings(), gzip: gzip.toString('base64') };
    const child = spawn(process.execPath, [join(built, 'application.js'), JSON.stringify(workerData)], {
      stdio: ['pipe', 'pipe', 'inherit'],
    });
    expect(String((await once(child.stdout, 'data'))[0])).toBe('kept\n');
    expect(kinds()).toEqual(['live']);
    return { child, spoolPid: Number(readFileSync(join(spoolDir, 'pid'), 'utf8')) };
  }

  test('is left to others when the process is killed', async () => {
    const { child, spoolPid } = await start();
    child.kill('SIGKILL');
    await until('its end', () => !isAlive(spoolPid));
    expect(kinds()).toEqual(['ready']);
  });

  test('is dropped when only the thread dies that kept it: the process lives', async () => {
    const { child } = await start();
    const said = once(child.stdout, 'data');
    child.stdin.write('\n');
    expect(String((await said)[0])).toBe('terminated\n');
    // Not until the end of the spool's process: nobody is left in the process who takes note of that.
    await until('it is dropped', () => kinds().length === 0);
    expect(child.exitCode).toBeNull();
    child.kill();
    await once(child, 'exit');
  });
});

describe('while the disk hangs', () => {
  /** An earlier keeper has left a record; its disk hangs now, and that is known. */
  async function setUp() {
    const clock = new ManualClock();
    new Spool(settings()).record.keep(gzip);
    const port = spoolInProcess({
      file: join(built, 'hanging-once.js'),
      settings: settings(),
      clock,
      fallback: spoolInThread(new Spool(settings())),
    });
    const stalled = expect(port.put(gzip, 'ready')).rejects.toMatchObject({ code: 'spool-stalled' });
    await until('the disk hangs', () => readdirSync(spoolDir).includes('hung'));
    await clock.advance(5_000);
    await stalled;
    await until('its end', () => !isAlive(Number(readFileSync(join(spoolDir, 'hung'), 'utf8'))));
    await settle();
    return { clock, port };
  }

  test('a record that is to be forgotten is forgotten when the disk is tried again', async () => {
    const { clock, port } = await setUp();
    await expect(port.forgetRecord()).rejects.toMatchObject({ code: 'spool-stalled' });
    expect(kinds()).toEqual(['live']);
    await clock.advance(60_000);
    await until('it is forgotten', () => kinds().length === 0);
    port.close();
  });

  test('so it is when the process ends before that', async () => {
    const { clock, port } = await setUp();
    await expect(port.forgetRecord()).rejects.toMatchObject({ code: 'spool-stalled' });
    port.close();
    await until('it is forgotten', () => kinds().length === 0);
    // Its answer comes after the deed.
    await until('nothing is waited for any more', () => clock.pending === 0);
  });

  test('so it is when the process ends at once, and its disk is known to hang', async () => {
    const { clock, port } = await setUp();
    const forgotten = expect(port.forgetRecord()).rejects.toMatchObject({ code: 'spool-stalled' });
    port.close();
    await forgotten;
    await until('it is forgotten', () => kinds().length === 0);
    await until('nothing is waited for any more', () => clock.pending === 0);
  });

  test('a record that is kept again later stays', async () => {
    const { clock, port } = await setUp();
    await expect(port.forgetRecord()).rejects.toMatchObject({ code: 'spool-stalled' });
    // The moment before the disk is tried again for what is owed.
    await clock.advance(59_999);
    await expect(port.keepRecord(gzip)).rejects.toMatchObject({ code: 'spool-stalled' });
    await clock.advance(1);
    await until('it is forgotten', () => kinds().length === 0);
    await port.keepRecord(gzip);
    await clock.advance(120_000);
    expect(kinds()).toEqual(['live']);
    port.close();
  });
});

function isAlive(pid: number): boolean {
  try {
    return process.kill(pid, 0);
  } catch {
    return false;
  }
}

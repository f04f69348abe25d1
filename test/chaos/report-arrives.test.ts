import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import type { Dump } from '@hangwatch/protocol';
import { CollectorStub, type NodeBinary, nodeBinaries } from '@hangwatch/test-utils';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { Front, type Manner } from './front.ts';
import { NameServer } from './name-server.ts';
import { StuckProcess } from './stuck-process.ts';

let folder: string;
beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'hangwatch-chaos-'));
});
afterAll(() => rmSync(folder, { recursive: true, force: true }));

const spoolDir = () => join(mkdtempSync(join(folder, 'case-')), 'spool');
const isHang = (dump: Dump) => dump.kind === 'hang' && dump.requests.some(({ path }) => path === '/hang');
const places = (dump: Dump) => dump.requests[0]?.stacks.flat().map((frame) => frame.function) ?? [];

interface Trouble {
  readonly trouble: string;
  readonly what: string;
  readonly read?: boolean;
  readonly execArgv?: string[];
  readonly env?: Readonly<Record<string, string>>;
  /** The main thread is held up: the table tells of the request, and its stacks cannot be had. */
  readonly blocked?: boolean;
  /** How long process.exit may take without hangwatch: longer is never. @default 3_000 */
  readonly exitMs?: number;
  /** Where it is sent: by name, for what needs a look-up. */
  readonly collectors?: (url: string) => string[];
}

/** How long process.exit may take of what it takes without hangwatch: what goes wrong takes for ever, or seconds. */
const EXIT_FACTOR = 10;
const EXIT_FLOOR_MS = 300;
const EXIT_LIMIT_MS = 20_000;

/** A name that only the test's own name server knows. */
const COLLECTOR = 'collector.test';
const OWN_NAME_SERVER = new URL('../scenarios/chaos/own-name-server.mjs', import.meta.url).href;
const TROUBLES: readonly Trouble[] = [
  { trouble: 'stdout', what: 'stdout is a full pipe that nobody reads', read: false },
  { trouble: 'stderr', what: 'stderr is a full pipe that nobody reads', read: false },
  // At the exit the transport is given ten seconds, by thread-stream.
  { trouble: 'pino', what: "pino's transport is blocked", blocked: true, exitMs: EXIT_LIMIT_MS },
  { trouble: 'console', what: 'console is patched to await' },
  { trouble: 'pools', what: "undici's global dispatcher and http.globalAgent are exhausted" },
  {
    trouble: 'threads',
    what: 'all threads of libuv are blocked',
    collectors: (url) => [url.replace('127.0.0.1', 'localhost')],
  },
  // For the whole process: what the name server said at the start is all that it ever says.
  { trouble: 'dns', what: 'DNS is dead', collectors: (url) => [url.replace('127.0.0.1', COLLECTOR)] },
  { trouble: 'heap', what: 'the heap is near its limit', execArgv: ['--max-old-space-size=96'] },
];

async function exitsAsWithout(
  stuck: StuckProcess,
  node: NodeBinary,
  { trouble, execArgv, env, read, exitMs = 3_000 }: Trouble,
) {
  const plain = await StuckProcess.start({
    node: node.path,
    trouble,
    options: 'off',
    folder,
    ...(execArgv && { execArgv }),
    ...(env && { env }),
    ...(read !== undefined && { read }),
  });
  plain.hang();
  // Side by side: what the machine does falls on both.
  const ending = stuck.exit(EXIT_LIMIT_MS);
  const without = await plain.exit(exitMs);
  await plain.kill();
  // The pool's threads are joined: a process that is blocked in there does not end, with hangwatch or without.
  if (without === undefined) return;
  const within = await ending;
  expect(within?.code).toBe(without.code);
  expect(within?.tookMs).toBeLessThan(EXIT_FACTOR * Math.max(without.tookMs, EXIT_FLOOR_MS));
}

const binaries = nodeBinaries();
const ends = [...new Set([binaries[0], binaries.at(-1)])].filter((binary) => binary !== undefined);

const newest = ends.at(-1);
if (newest === undefined) throw new Error('there is a Node to run this');

// The oldest and the newest: what is stuck here is outside V8.
describe.each(ends)('on Node $version', (node) => {
  test.concurrent.each(TROUBLES)('the report arrives though $what; process.exit returns', async (trouble) => {
    const collector = await CollectorStub.start();
    const names = await NameServer.start(COLLECTOR);
    const { read } = trouble;
    const execArgv = trouble.trouble === 'dns' ? ['--import', OWN_NAME_SERVER] : trouble.execArgv;
    const env = { NAME_SERVER: String(names.port) };
    const stuck = await StuckProcess.start({
      node: node.path,
      trouble: trouble.trouble,
      folder,
      env,
      options: { collector: trouble.collectors?.(collector.url) ?? collector.url, spoolDir: spoolDir() },
      ...(execArgv && { execArgv }),
      ...(read !== undefined && { read }),
    });
    try {
      if (trouble.trouble === 'dns') {
        stuck.serve();
        await names.told;
        names.die();
      }
      stuck.hang();
      const { blocked = false } = trouble;
      const dump = await collector.next((one) => isHang(one) || (blocked && one.requests[0]?.state === 'stuck'));
      if (!blocked) expect(places(dump).length).toBeGreaterThan(0);
      else if (node !== newest) return;
      if (trouble.trouble === 'dns') {
        expect(names.asked).toEqual(expect.arrayContaining([COLLECTOR, 'database.internal']));
        expect(dump.requests[0]?.waitsFor[0]?.label).toContain('database.internal');
      }
      await exitsAsWithout(stuck, node, { ...trouble, env, ...(execArgv && { execArgv }) });
    } finally {
      await stuck.kill();
      names.close();
      await collector.close();
    }
  });
});

const slowly: Manner = (socket) => {
  setTimeout(() => socket.resume().end('HTTP/1.1 202 Accepted\r\ncontent-length: 0\r\n\r\n'), 3_000);
};
/** How a collector mistreats its first connections. */
const MANNERS: readonly (readonly [string, Manner])[] = [
  ['answers 500', (socket) => socket.end('HTTP/1.1 500 Oops\r\ncontent-length: 0\r\n\r\n')],
  ['closes in mid-request', (socket) => socket.once('data', () => socket.destroy())],
  ['speaks nonsense', (socket) => socket.end('220 smtp.example.org ESMTP ready\r\n')],
];

describe('the report arrives though the collector', () => {
  test.concurrent.each(MANNERS)('%s, once it does so no longer', async (_, manner) => {
    const collector = await CollectorStub.start();
    const front = await new Front(collector.url, manner, 2).listen();
    const options = { collector: front.url, spoolDir: spoolDir() };
    const stuck = await StuckProcess.start({ node: newest.path, trouble: 'none', options, folder });
    try {
      stuck.hang();
      await collector.next(isHang);
      expect(front.mistreated).toBe(2);
      expect(stuck.stderr).toContain('HANGWATCH_ERR_DELIVERY_');
    } finally {
      await stuck.kill();
      await front.leave();
      await collector.close();
    }
  });

  test.concurrent('is slow, which is no failure: one post, and no second', async () => {
    const collector = await CollectorStub.start();
    const front = await new Front(collector.url, slowly, 1).listen();
    const options = { collector: front.url, spoolDir: spoolDir() };
    const stuck = await StuckProcess.start({ node: newest.path, trouble: 'none', options, folder });
    try {
      stuck.hang();
      // The next hang is reported after the first has been acknowledged: posts keep their order.
      while (front.mistreated === 0) await sleep(20);
      stuck.hang();
      await collector.next(isHang);
      expect(front.mistreated).toBe(1);
      expect(collector.dumps).toHaveLength(1);
    } finally {
      await stuck.kill();
      await front.leave();
      await collector.close();
    }
  });

  test.concurrent('is down, when it is back; and process.exit does not wait for it', async () => {
    const collector = await CollectorStub.start();
    const front = await new Front(collector.url, () => undefined, 0).listen();
    await front.leave();
    const options = { collector: front.url, spoolDir: spoolDir() };
    const start = () => StuckProcess.start({ node: newest.path, trouble: 'none', options, folder });
    const stuck = await start();
    const next = await start();
    try {
      stuck.hang();
      await stuck.says('HANGWATCH_ERR_DELIVERY_COLLECTOR_UNREACHABLE');
      await spooled(options.spoolDir);
      await exitsAsWithout(stuck, newest, { trouble: 'none', what: '' });
      // The process that hung is gone; another one of the same folder brings its report.
      await front.listen();
      next.hang();
      const dump = await collector.next((one) => isHang(one) && one.process.pid === stuck.child.pid);
      expect(places(dump)).toContain('(anonymous)');
    } finally {
      await Promise.all([stuck.kill(), next.kill()]);
      await front.leave();
      await collector.close();
    }
  });
});

/** Resolves when the spool holds a dump. */
async function spooled(path: string): Promise<void> {
  for (;;) {
    try {
      if (readdirSync(path).some((name) => name.endsWith('.gz'))) return;
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== 'ENOENT') throw error;
    }
    await sleep(20);
  }
}

describe("the report arrives though the spool's disk", () => {
  test.concurrent('cannot be written, when the collector is back: it is said, and kept in memory', async () => {
    const collector = await CollectorStub.start();
    const front = await new Front(collector.url, () => undefined, 0).listen();
    await front.leave();
    const file = join(mkdtempSync(join(folder, 'case-')), 'file');
    writeFileSync(file, 'a file in place of the folder');
    const options = { collector: front.url, spoolDir: join(file, 'spool') };
    const stuck = await StuckProcess.start({ node: newest.path, trouble: 'none', options, folder });
    try {
      stuck.hang();
      await stuck.says('HANGWATCH_ERR_DELIVERY_SPOOL_FAILED');
      await front.listen();
      await collector.next(isHang);
      await exitsAsWithout(stuck, newest, { trouble: 'none', what: '' });
    } finally {
      await stuck.kill();
      await front.leave();
      await collector.close();
    }
  });

  const onLinux = process.platform === 'linux' ? test.concurrent : test.skip;
  onLinux('hangs, when the collector is back', async () => {
    const collector = await CollectorStub.start();
    const front = await new Front(collector.url, () => undefined, 0).listen();
    await front.leave();
    const options = { collector: front.url, spoolDir: spoolDir() };
    const stuck = await StuckProcess.start({ node: newest.path, trouble: 'none', options, folder });
    let keeper = 0;
    try {
      stuck.hang();
      // The process that does the disk's work is stopped before it can write: to the watchdog that is a disk that hangs.
      keeper = await spoolProcessOf(stuck.child.pid ?? 0);
      process.kill(keeper, 'SIGSTOP');
      await stuck.says('HANGWATCH_ERR_DELIVERY_SPOOL_STALLED');
      await front.listen();
      await collector.next(isHang);
      await exitsAsWithout(stuck, newest, { trouble: 'none', what: '' });
    } finally {
      await stuck.kill();
      await front.leave();
      await collector.close();
    }
  });
});

/** The child process that does the disk's work of a process, as soon as there is one. */
async function spoolProcessOf(pid: number): Promise<number> {
  for (;;) {
    for (const thread of readdirSync(`/proc/${pid}/task`)) {
      const children = readFileSync(`/proc/${pid}/task/${thread}/children`, 'utf8').trim().split(' ');
      const spool = children.find((child) => child !== '' && commandOf(child).includes('spool-process'));
      if (spool !== undefined) return Number(spool);
    }
    await sleep(1);
  }
}

/** Empty for a process that has ended meanwhile. */
function commandOf(pid: string): string {
  const file = `/proc/${pid}/cmdline`;
  return existsSync(file) ? readFileSync(file, 'utf8') : '';
}

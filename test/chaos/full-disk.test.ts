import { spawnSync } from 'node:child_process';
import { mkdtempSync, readdirSync, rmSync } from 'node:fs';
import { get } from 'node:http';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import type { Dump } from '@hangwatch/protocol';
import { CollectorStub, nodeBinaries, Scenario } from '@hangwatch/test-utils';
import { describe, expect, test } from 'vitest';
import { Front } from './front.ts';

const SERVER = fileURLToPath(new URL('../scenarios/chaos/full-disk.mjs', import.meta.url));
const isHang = ({ kind }: Dump) => kind === 'hang';
const newest = nodeBinaries().at(-1)?.path ?? process.execPath;

/** A shell command under which no byte can be written to the spool, and what the system says then. */
interface FullDisk {
  readonly command: readonly [string, ...string[]];
  readonly says: RegExp;
}

/** A disk of one page that is full, for this process and its children alone: where the system lets users have namespaces. */
const TMPFS: FullDisk = {
  command: [
    'unshare',
    '-Urm',
    'sh',
    '-c',
    'mount -t tmpfs -o size=4k tmpfs "$SPOOL" && head -c 4096 /dev/zero > "$SPOOL/full" && exec "$0" "$@"',
  ],
  says: /HANGWATCH_ERR_DELIVERY_SPOOL_FAILED ENOSPC/,
};
/** A disk that is read-only, in the same way. */
const READ_ONLY: FullDisk = {
  command: ['unshare', '-Urm', 'sh', '-c', 'mount -t tmpfs -o ro tmpfs "$SPOOL" && exec "$0" "$@"'],
  says: /HANGWATCH_ERR_DELIVERY_SPOOL_FAILED EROFS/,
};
/** Files may have no content. That takes no privilege, and needs nothing but a shell. */
const NO_FILES: FullDisk = {
  command: ['sh', '-c', 'ulimit -f 0 && exec "$0" "$@"'],
  says: /HANGWATCH_ERR_DELIVERY_SPOOL_FAILED EFBIG/,
};

function hasNamespaces(): boolean {
  const folder = mkdtempSync(join(tmpdir(), 'hangwatch-namespace-'));
  const [command, ...args] = TMPFS.command;
  const { status } = spawnSync(command, [...args, 'true'], { env: { ...process.env, SPOOL: folder } });
  rmSync(folder, { recursive: true });
  return status === 0;
}

const withNamespaces = process.platform === 'linux' && hasNamespaces();
/** With what is tried besides the first, where others tell more. */
const disks: [string, FullDisk, 'all' | 'first'][] = withNamespaces
  ? [
      ['has no room (tmpfs)', TMPFS, 'all'],
      ['is read-only (tmpfs)', READ_ONLY, 'all'],
      ['takes nothing (ulimit)', NO_FILES, 'first'],
    ]
  : [['takes nothing (ulimit)', NO_FILES, 'all']];

interface Started {
  readonly run: Scenario;
  readonly port: number;
  readonly spool: string;
}

async function withServer(
  { command }: FullDisk,
  collector: string,
  work: (started: Started) => Promise<void>,
  /** Where stderr goes, in the shell's words. */
  stderr = '',
): Promise<void> {
  const spool = mkdtempSync(join(tmpdir(), 'hangwatch-full-'));
  const [shell, ...words] = command;
  const script = `${words.at(-1)}${stderr}`;
  const options = JSON.stringify({ timeout: 300, scanInterval: 50, collector, spoolDir: join(spool, 'spool') });
  const run = new Scenario(SERVER, {
    node: shell,
    execArgv: [...words.slice(0, -1), script, newest],
    args: [options],
    env: { SPOOL: spool },
  });
  try {
    const port = await run.until(({ stdout }) => {
      const found = /"port":(\d+)/.exec(stdout)?.[1];
      return found === undefined ? undefined : Number(found);
    });
    await work({ run, port, spool });
  } finally {
    await run.stop();
    rmSync(spool, { recursive: true, force: true });
  }
}

function request(port: number, path: string): Promise<number | undefined> {
  return new Promise((resolve) => {
    get({ host: '127.0.0.1', port, path, agent: false }, (response) => {
      response.resume().on('end', () => resolve(response.statusCode));
    }).on('error', () => resolve(undefined));
  });
}

const says = ({ run }: Started, text: RegExp) => run.until(({ stdout }) => (text.test(stdout) ? stdout : undefined));

// Where the collector is away and the disk of the spool takes nothing, reports stay in memory; at the end stderr is the last resort.
// /dev/full is Linux's.
describe.skipIf(process.platform !== 'linux').each(disks)('a disk that %s', (_, disk, tests) => {
  const furtherTest = tests === 'all' ? test.concurrent : test.skip;

  test.concurrent('is said once; requests are served, and the report arrives when the collector is back', async () => {
    const collector = await CollectorStub.start();
    const front = await new Front(collector.url, () => undefined, 0).listen();
    await front.leave();
    try {
      await withServer(disk, front.url, async (started) => {
        const { port, spool, run } = started;
        void request(port, '/hang');
        await says(started, disk.says);
        expect(await request(port, '/ok')).toBe(200);
        void request(port, '/hang');
        await front.listen();
        const dump = await collector.next(isHang);
        expect(dump.requests[0]?.stacks.flat().map((frame) => frame.function)).toContain('query');
        expect(run.stdout.match(/SPOOL_FAILED/g)).toHaveLength(1);
        run.child.stdin.write('close\n');
        expect(await run.ended).toMatchObject({ code: 0, timedOut: false });
        // What arrived is not counted as lost, and nothing half-written is left.
        expect(run.stdout).not.toContain('REPORTS_LOST');
        expect(readdirSync(spool).flatMap((name) => readdirSync(join(spool, name)))).toEqual([]);
      });
    } finally {
      await front.leave();
      await collector.close();
    }
  });

  furtherTest('and a collector that does not come back: stderr has the report when the server closes', async () => {
    await withServer(disk, 'http://127.0.0.1:9', async (started) => {
      const { port, run } = started;
      void request(port, '/hang');
      await says(started, disk.says);
      // The record that is kept in case the process dies was refused before there was a hang to report.
      await says(started, /HANGWATCH_ERR_DELIVERY_COLLECTOR_UNREACHABLE/);
      run.child.stdin.write('close\n');
      const { code, stderr, stdout } = await run.ended;
      expect(code).toBe(0);
      expect(stderr).toMatch(/HANG \(no progress\): GET \/hang has made no progress .*suspended in query/);
      expect(stdout).not.toContain('REPORTS_LOST');
    });
  });

  furtherTest('and stderr takes nothing either: what is lost is counted and said', async () => {
    await withServer(
      disk,
      'http://127.0.0.1:9',
      async (started) => {
        const { port, run } = started;
        void request(port, '/hang');
        await says(started, disk.says);
        await says(started, /HANGWATCH_ERR_DELIVERY_COLLECTOR_UNREACHABLE/);
        run.child.stdin.write('close\n');
        const { code, stdout } = await run.ended;
        expect(code).toBe(0);
        // The hang, and maybe that its client has left.
        expect(stdout).toMatch(
          /HANGWATCH_ERR_DELIVERY_REPORTS_LOST (\d) of \1 reports have reached nobody: \1 not taken by stderr either/,
        );
        expect(stdout).toMatch(/HANGWATCH_ERR_DELIVERY_STDERR_LOST /);
      },
      ' 2>/dev/full',
    );
  });
});

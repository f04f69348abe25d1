import { spawnSync } from 'node:child_process';
import { mkdtempSync, openSync, rmSync, writeSync } from 'node:fs';
import { get } from 'node:http';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import type { Dump, DumpBlock } from '@hangwatch/protocol';
import { CollectorStub, Scenario } from '@hangwatch/test-utils';
import { expect } from 'vitest';

const SCENARIOS = fileURLToPath(new URL('../scenarios/blocked-loop/', import.meta.url));

/** Where the work is done that blocks, and the server that has it done. */
export const WORK = path.join(SCENARIOS, 'work.mjs');
export const SERVER = path.join(SCENARIOS, 'server.mjs');

/** What the server is started with, beside options of hangwatch. */
export interface BlockedServerOptions extends Readonly<Record<string, unknown>> {
  /** How long its routes block. */
  readonly blockMs?: number;
  /** A tool with an inspector session of its own. */
  readonly tool?: 'exceptionsFromThread' | 'pausesFromThread' | 'exceptions' | 'exceptionsResumed' | 'profiler';
  /** Settings of the watchdog that no option sets. */
  readonly watchdog?: Readonly<Record<string, unknown>>;
}

/** Less than a test may take: who waits in vain says so. */
const LONGEST_MS = 30_000;

/** For the server's option `watchdog`: each block shows its stack, however many come. */
export const NO_LIMIT = { pauses: { everyMs: 0, share: 1 } };

export const isBlock = ({ kind }: Dump): boolean => kind === 'loop-block';
export const isEnd = ({ kind, block }: Dump): boolean => kind === 'recovered' && block !== undefined;

/** @throws {Error} where it is no dump of a block */
export function blockOf(dump: Dump | undefined): DumpBlock {
  if (dump?.block === undefined) throw new Error('it was reported, and a dump of a block has one');
  return dump.block;
}

/** Lines of the application in a block's stack. */
export const appLines = (block: DumpBlock): number[] =>
  block.stack.filter(({ kind }) => kind === 'app').map(({ line }) => line);

/** The last checkpoint of the request that ran last, as the shared table has it, or that runs. */
export function ranLast({ block, requests }: Dump): string | undefined {
  return requests.find(({ id }) => id === (block?.running ?? block?.lastRan))?.checkpoint.label;
}

/** A server that blocks its event loop when it is told to, and the collector that hears of it. */
export class BlockedServer {
  readonly collector: CollectorStub;
  readonly scenario: Scenario;
  readonly folder: string;
  readonly port: number;
  /** Lines by name. */
  readonly marks: Readonly<Record<string, number>>;

  private constructor(
    collector: CollectorStub,
    scenario: Scenario,
    folder: string,
    started: { port: number; marks: Record<string, number> },
  ) {
    this.collector = collector;
    this.scenario = scenario;
    this.folder = folder;
    this.port = started.port;
    this.marks = started.marks;
  }

  static async start(
    node: string,
    options: BlockedServerOptions = {},
    execArgv: readonly string[] = [],
  ): Promise<BlockedServer> {
    const folder = mkdtempSync(path.join(tmpdir(), 'hangwatch-blocked-'));
    spawnSync('mkfifo', [path.join(folder, 'fifo')]);
    const collector = await CollectorStub.start();
    const scenario = new Scenario(SERVER, {
      node,
      execArgv: execArgv.map((arg) => arg.replace('FOLDER', folder)),
      args: [JSON.stringify(options), path.join(folder, 'fifo')],
      env: { HANGWATCH_COLLECTOR: collector.url },
      timeoutMs: 180_000,
    });
    const started = await scenario.until(({ stdout }) =>
      stdout.includes('\n')
        ? (JSON.parse(stdout.split('\n')[0] ?? '') as { port: number; marks: Record<string, number> })
        : undefined,
    );
    const server = new BlockedServer(collector, scenario, folder, started);
    // The watchdog starts with the first request, and takes its time on a busy machine.
    expect((await server.request('/ready')).body).toBe('snapshot');
    await collector.next();
    collector.dumps.length = 0;
    return server;
  }

  /** Resolves with status and body, or why there are none. */
  request(pathname: string): Promise<{ status: number | string; body: string }> {
    return new Promise((resolve) => {
      get({ host: '127.0.0.1', port: this.port, path: pathname, agent: false }, (response) => {
        let body = '';
        response.setEncoding('utf8').on('data', (text: string) => {
          body += text;
        });
        response.on('end', () => resolve({ status: response.statusCode ?? 0, body }));
      }).on('error', (error) => resolve({ status: error.message, body: '' }));
    });
  }

  /** Lets `/fifo` go on. */
  feedFifo(): void {
    writeSync(openSync(path.join(this.folder, 'fifo'), 'r+'), '0123456789');
  }

  /**
   * Blocks the loop, and waits for its end: all reports of the block, the one that tells its end, and when it began and ended. A machine that
   * is busy enough may stop the process at other times, too: reports of that are left aside.
   */
  async block(
    pathname: string,
    whenReported: () => void = () => undefined,
    isOfThis: (dump: Dump) => boolean = (dump) => ranLast(dump) === `before ${pathname}`,
  ) {
    const { collector } = this;
    const before = new Set(collector.dumps);
    const answered = this.request(pathname);
    const reported = await this.#next((dump) => !before.has(dump) && isBlock(dump) && isOfThis(dump));
    whenReported();
    const { status, body } = await answered;
    expect(status).toBe(200);
    const { beganAt, endedAt } = JSON.parse(body) as { beganAt: number; endedAt: number };
    const reports: Dump[] = [];
    const end = await this.#next((dump) => {
      reports.length = 0;
      if (!isEnd(dump)) return false;
      for (let id = dump.follows; id !== undefined; id = reports[0]?.follows) {
        const report = collector.dumps.find((each) => each.id === id);
        if (report === undefined) return false;
        reports.unshift(report);
      }
      return reports.includes(reported);
    });
    return { reports, first: reports[0], last: reports.at(-1), end, beganAt, endedAt };
  }

  /** The collector's next, and what has come instead where nothing like it does. */
  async #next(accept: (dump: Dump) => boolean): Promise<Dump> {
    let timer: NodeJS.Timeout | undefined;
    const late = new Promise<never>((_, reject) => {
      timer = setTimeout(() => {
        const told = this.collector.dumps.map((dump) =>
          JSON.stringify([dump.at, dump.kind, dump.verdict.summary, ranLast(dump), dump.block?.stackNote]),
        );
        reject(new Error(`what was waited for has not come, but\n${told.join('\n')}\n${this.scenario.stderr}`));
      }, LONGEST_MS);
    });
    return Promise.race([this.collector.next(accept), late]).finally(() => clearTimeout(timer));
  }

  async stop(): Promise<void> {
    await this.scenario.stop();
    await this.collector.close();
    rmSync(this.folder, { recursive: true, force: true });
    expect(this.collector.refused).toEqual([]);
  }
}

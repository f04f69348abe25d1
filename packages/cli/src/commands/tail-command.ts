import { setTimeout as delay } from 'node:timers/promises';
import type { CliIo } from '../cli-io.ts';
import { type CollectorAddress, CollectorClient, CollectorUnavailableError } from '../collector-client.ts';
import { dumpPrinter, type OutputOptions } from '../dump-printer.ts';
import type { Since } from '../parse-arguments.ts';
import { print } from '../print.ts';

const WAIT_SECONDS = 20;
const PAGE = 100;
const FIRST_PAUSE_MS = 250;
const LONGEST_PAUSE_MS = 10_000;

/** `hangwatch tail`: prints dumps as they arrive, until it is stopped. A collector that goes away is waited for. */
export async function tailCommand(
  options: CollectorAddress & OutputOptions & { since?: Since | undefined },
  io: CliIo,
): Promise<void> {
  const client = new CollectorClient(options, io.env);
  const printDump = dumpPrinter(options, io);
  const stop = io.stopSignal();
  // Outside the loop: a collector that is not there at first is an error, not something to wait for.
  let cursor = await startOf(options.since, client);
  let pauseMs = FIRST_PAUSE_MS;
  while (!stop.aborted) {
    try {
      const { dumps, next, latest } = await client.dumps({ after: cursor, wait: WAIT_SECONDS, limit: PAGE }, stop);
      if (pauseMs > FIRST_PAUSE_MS) await print(io.stderr, 'hangwatch: the collector is back');
      pauseMs = FIRST_PAUSE_MS;
      for (const dump of dumps) if (!(await printDump(dump))) return;
      cursor = following(next ?? cursor, latest);
    } catch (error) {
      if (stop.aborted) return;
      if (!(error instanceof CollectorUnavailableError)) throw error;
      if (pauseMs === FIRST_PAUSE_MS) await print(io.stderr, `hangwatch: ${error.message}; trying again`);
      pauseMs = Math.min(pauseMs * 2, LONGEST_PAUSE_MS);
      await delay(pauseMs, undefined, { signal: stop }).catch(() => undefined); // the loop sees that it was stopped
    }
  }
}

/** A collector whose database was replaced counts from the beginning again: then so must we, or we would wait for ever. */
function following(cursor: string, latest: string): string {
  return Number(cursor.slice(1)) > Number(latest.slice(1)) ? latest : cursor;
}

async function startOf(since: Since | undefined, client: CollectorClient): Promise<string> {
  if (since?.type === 'all') return '~0';
  if (since?.type === 'id') {
    await client.heads({ after: since.id, limit: 1 }); // says at once where there is no such dump
    return since.id;
  }
  if (since?.type === 'time') return cursorBefore(since.time, client);
  return (await client.heads({ limit: 1 })).latest;
}

/** The cursor of the newest dump that was received before a time. */
async function cursorBefore(time: Date, client: CollectorClient): Promise<string> {
  let before: string | undefined;
  for (;;) {
    const { dumps, next } = await client.heads({ limit: PAGE, ...(before === undefined ? {} : { before }) });
    const found = dumps.find((dump) => new Date(dump.receivedAt) < time);
    if (found !== undefined) return found.cursor;
    if (next === null) return '~0';
    before = next;
  }
}

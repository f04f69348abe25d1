import { setTimeout as delay } from 'node:timers/promises';
import { examineDumps } from './examine-dumps.mjs';

const POLL_MS = 200;
const SAY_EVERY_MS = 5_000;

/**
 * Waits until each staged hang has arrived in the collector, and then for as long as `watchOnMs` says for reports that should not
 * be there.
 *
 * @param {object} options
 * @param {ReturnType<import('./read-collector.mjs').readCollector>} options.reader
 * @param {number} options.deadlineMs how long to wait for the reports
 * @param {(dump: object) => void} options.onDump told of each dump once
 * @returns {Promise<ReturnType<typeof examineDumps>>} also when the deadline has passed
 */
export async function awaitReports({ reader, hangs, marks, deadlineMs, watchOnMs, signal, screen, onDump }) {
  const begin = performance.now();
  let completeAt;
  let saidAt = begin;
  for (;;) {
    for (const dump of await reader.fetchNew()) onDump(dump);
    const result = examineDumps(
      reader.all().filter((dump) => dump.kind === 'hang' || dump.kind === 'loop-block'),
      hangs,
      marks,
    );
    const now = performance.now();
    const complete = result.reported.length === hangs.length;
    if (complete) completeAt ??= now;
    if (completeAt === undefined ? now - begin >= deadlineMs : now - completeAt >= watchOnMs) return result;

    const text = complete
      ? 'all reported; watching the healthy traffic a little longer'
      : `${result.reported.length} of ${hangs.length} hangs reported, ${((now - begin) / 1_000).toFixed(0)} s`;
    screen.progress(text);
    if (now - saidAt >= SAY_EVERY_MS) {
      saidAt = now;
      if (!process.stdout.isTTY) screen.note(text);
    }
    await delay(POLL_MS, undefined, { signal });
  }
}

#!/usr/bin/env node
// What many requests in flight cost: memory, the growth of the table, the scan, and the dump of all of them.
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import { CollectorStub } from '@hangwatch/test-utils';

const HELP = `usage: node test/bench/scale.mjs [options]

Enters requests that never end, three awaits deep and without sockets, in a process of its own, and prints
what they take: bytes a request, pauses as the table grows, the scan (the watchdog's thread), and the slices in
which the main thread gathers a dump of them (time on the processor, where Linux tells).

  --tracked N   requests that are only tracked and scanned (default 100000)
  --dumped N    requests in flight when one dump is made (default 10000)
  --node PATH   Node binary of the process (default this one)
  --json        JSON on stdout
  --help        this text`;

const { values } = parseArgs({
  options: {
    tracked: { type: 'string', default: '100000' },
    dumped: { type: 'string', default: '10000' },
    node: { type: 'string', default: process.execPath },
    json: { type: 'boolean', default: false },
    help: { type: 'boolean', default: false },
  },
});
if (values.help) {
  console.log(HELP);
  process.exit(0);
}
const count = (name) => {
  const value = Number(values[name]);
  if (Number.isSafeInteger(value) && value > 0) return value;
  console.error(`scale: --${name} must be a positive whole number, got ${JSON.stringify(values[name])}`);
  process.exit(2);
};
const tracked = count('tracked');
const dumped = count('dumped');
const SCAN_INTERVAL_MS = 250;

/** A process beside this one, and what it prints at its end. */
function start(file, ...args) {
  const child = spawn(values.node, ['--expose-gc', fileURLToPath(new URL(file, import.meta.url)), ...args], {
    stdio: ['pipe', 'pipe', 'inherit'],
  });
  let output = '';
  child.stdout.setEncoding('utf8').on('data', (text) => {
    output += text;
  });
  const printed = once(child, 'close').then(([code]) => {
    if (code !== 0) throw new Error(`${file} ended with code ${code}`);
    return JSON.parse(output);
  });
  return { child, printed };
}

async function measure(options, beforeEnd = async () => undefined) {
  const { child, printed } = start('scale-process.mjs', JSON.stringify(options));
  await Promise.race([beforeEnd(child), printed]);
  return printed;
}

/** The same, and the longest slice of a process beside it that works for 3 ms at a time. */
async function measureBeside(work) {
  const nothing = start('pauses-of-nothing.mjs');
  const measured = await work().finally(() => nothing.child.stdin.end());
  const { longestMs } = await nothing.printed;
  return { ...measured, longestOfNothingMs: longestMs };
}

const scan = await measureBeside(() =>
  measure({ requests: tracked, timeout: 600_000, scanInterval: SCAN_INTERVAL_MS }),
);
let dump;
/** One dump of all of them, gathered and delivered; where somebody `hears` it, it comes to the main thread as well. */
async function measureDump(hears) {
  const collector = await CollectorStub.start();
  const options = { timeout: 2_000, maxDuration: false, scanInterval: 500, collector: collector.url };
  const measured = await measure({ requests: dumped, hears, ...options }, async (child) => {
    // The first request, that of the warm-up, is reported first, maybe alone.
    dump = await collector.next(({ requests }) => requests.length >= Math.min(dumped, 10_000));
    child.stdin.write('reported\n');
  });
  await collector.close();
  return measured;
}
const heard = await measureDump(true);
const gather = await measureBeside(() => measureDump(false));

const figures = {
  heard,
  tracked: { ...scan, scanMs: scan.watchdogBusyMs / (scan.tookMs / SCAN_INTERVAL_MS) },
  dumped: {
    ...gather,
    inDump: dump.requests.length,
    // In full, or said to stand where another does.
    withStacks: dump.requests.filter(({ stacks, sameAs }) => stacks.length > 0 || sameAs !== undefined).length,
    complete: dump.evidence.complete,
    gatheredInMs: dump.evidence.tookMs,
  },
};
if (values.json) {
  console.log(JSON.stringify(figures, undefined, 2));
} else {
  const ms = (value) => `${value.toFixed(value < 10 ? 1 : 0)} ms`;
  const slices = ({ slicesMs: { count, median, p95, longest, longestUncollected } }) =>
    `${count} slices of ${ms(median)} (median), ${ms(p95)} (95%), ${ms(longest)} (longest; ${ms(longestUncollected)} without the garbage collector)`;
  const { bytesPerRequest, growthMs } = scan;
  console.log(`${tracked} requests in flight
  memory: ${bytesPerRequest.hangwatch} bytes a request of hangwatch's, ${bytesPerRequest.application} of the application's (three awaits)
  table: grew ${growthMs.count} times, in ${ms(growthMs.median)} (median), ${ms(growthMs.longest)} (longest)
  a scan: ${ms(figures.tracked.scanMs)} on the watchdog's thread; main thread ${(scan.mainThreadBusyShare * 100).toFixed(1)}% busy
dump of ${figures.dumped.inDump} requests, ${figures.dumped.withStacks} with stacks${figures.dumped.complete ? '' : ' (not complete)'}
  gathered in ${ms(figures.dumped.gatheredInMs)}, main thread: ${slices(gather)}
  with onHang, which gets ${Math.max(...heard.heard)} of them: ${slices(heard)}`);
}

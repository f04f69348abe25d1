#!/usr/bin/env node
// The process that scale.mjs measures: many requests in flight at once, as an adapter would enter them, but without sockets (a process
// may not open 200,000). Each awaits something that never comes, three functions deep. Its argument says what to do, its stdout what was seen.
import { EventEmitter } from 'node:events';
import { syncBuiltinESMExports } from 'node:module';
import { setTimeout as sleep } from 'node:timers/promises';
import workerThreads from 'node:worker_threads';
import { beginPause } from './pause.mjs';

// The watchdog's thread, to ask how busy it is.
let watchdog;
const { Worker } = workerThreads;
workerThreads.Worker = class extends Worker {
  constructor(...args) {
    super(...args);
    watchdog = this;
  }
};
syncBuiltinESMExports();
const { openWatch } = await import('@hangwatch/core/adapter');

// The header's cells that are read here: core/src/shared/slot-layout.ts.
const kInFlight = 3;
const kUntracked = 6;
const SLOT_BYTES = 64;

const { requests, groups = 1, batch = 500, seconds = 3, hears = false, ...options } = JSON.parse(process.argv[2]);
/** What `onHang` was given: requests of each dump. */
const heard = [];
if (hears) options.onHang = (dump) => heard.push(dump.requests.length);

// Held, as a timer or a socket would hold it: what nobody can resolve is collected, with the functions that wait for it.
const resolvers = [];
const forever = () => new Promise((resolve) => resolvers.push(resolve));
async function query() {
  await forever();
}
async function load() {
  return await query();
}
async function handler() {
  return await load();
}

const socket = { bytesRead: 0, bytesWritten: 0, destroyed: false };
const messages = Array.from({ length: requests }, (_, i) => {
  const request = { method: 'GET', url: `/items/${i}`, headers: {}, httpVersionMajor: 1, complete: true, socket };
  return { request, response: new EventEmitter() };
});
const used = () => {
  for (let i = 0; i < 3; i++) globalThis.gc();
  const { heapUsed, external } = process.memoryUsage();
  return heapUsed + external;
};
const kept = [];
const enterAll = async (enter) => {
  for (let i = 0; i < requests; i++) {
    kept.push(enter(i));
    if (i % batch === batch - 1) await new Promise((resolve) => setImmediate(resolve));
  }
};

// What the application's own part of a request in flight takes.
const empty = used();
await enterAll(() => handler());
const plain = used();

const watch = openWatch({ enabled: true, ...options });
// The first request starts the thread; its cost is not that of one request.
const first = { request: { ...messages[0].request }, response: new EventEmitter() };
watch.run(watch.enter(first.request, first.response), handler);
await sleep(500);
const { tracker } = globalThis[Symbol.for('hangwatch.core/1')];
const before = used();
const collections = [];
const observer = new PerformanceObserver((list) => collections.push(...list.getEntries()));
observer.observe({ entryTypes: ['gc'] });
const growths = [];
await enterAll((i) => {
  const { request, response } = messages[i];
  const grows = tracker.table.freeSlots === 0;
  const pause = grows ? beginPause() : undefined;
  const record = watch.enter(request, response);
  if (pause !== undefined) growths.push(pause.end());
  record.setRoute(`/group-${i % groups}/:id`);
  return watch.run(record, handler);
});
const after = used();
await sleep(50);
/** What the garbage collector took of a time: it runs when it likes. */
const collectedMs = ({ beganMs, endedMs }) =>
  collections.reduce((sum, { startTime, duration }) => {
    const overlapMs = Math.min(endedMs, startTime + duration) - Math.max(beganMs, startTime);
    return sum + Math.max(0, overlapMs);
  }, 0);
const growthMs = growths.map((growth) => Math.max(0, growth.ms - collectedMs(growth)));
collections.length = 0;

// Anything between two turns of this loop is hangwatch's: the application does nothing any more.
const slices = [];
let beating = options.collector !== undefined;
let turn = beginPause();
const beat = () => {
  const slice = turn.end();
  // A turn in which hangwatch did nothing takes some microseconds.
  if (slice.ms > 1) slices.push(slice);
  turn = beginPause();
  if (beating) setImmediate(beat);
};
const mainBefore = performance.eventLoopUtilization();
const watchdogBefore = watchdog.performance.eventLoopUtilization();
const beganMs = performance.now();
if (beating) {
  beat();
  process.stdin.resume();
  // The collector has the dump.
  await new Promise((resolve) => process.stdin.once('data', resolve));
  beating = false;
} else {
  await sleep(seconds * 1_000);
}
const tookMs = performance.now() - beganMs;
const main = performance.eventLoopUtilization(mainBefore);
const thread = watchdog.performance.eventLoopUtilization(watchdogBefore);
const sorted = (list) => list.sort((a, b) => a - b);
const at = (list, share) => sorted(list)[Math.min(list.length - 1, Math.floor(list.length * share))] ?? 0;
await sleep(50);
observer.disconnect();
const sliceMs = slices.map(({ ms }) => ms);
const uncollectedMs = slices.map((slice) => Math.max(0, slice.ms - collectedMs(slice)));
console.log(
  JSON.stringify({
    requests,
    inFlight: Atomics.load(tracker.table.header, kInFlight),
    untracked: Atomics.load(tracker.table.header, kUntracked),
    bytesPerRequest: {
      application: Math.round((plain - empty) / requests),
      hangwatch: Math.round((after - before - (plain - empty)) / requests) + SLOT_BYTES,
    },
    growthMs: { count: growthMs.length, median: at(growthMs, 0.5), longest: at(growthMs, 1) },
    mainThreadBusyShare: main.active / tookMs,
    slicesMs: {
      count: slices.length,
      median: at(sliceMs, 0.5),
      p95: at(sliceMs, 0.95),
      longest: at(sliceMs, 1),
      longestUncollected: at(uncollectedMs, 1),
    },
    heard,
    slicesShare: sliceMs.reduce((sum, ms) => sum + ms, 0) / tookMs,
    watchdogBusyMs: thread.active,
    tookMs,
  }),
);
process.exit(0);

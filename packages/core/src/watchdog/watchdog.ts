// The watchdog's thread: wires the loop to its clock, its messages and the delivery of reports. No logic here.
import { fileURLToPath } from 'node:url';
import { parentPort, workerData } from 'node:worker_threads';
import { messageOf } from '../message-of.ts';
import { HEADER_CELLS, kCrashTold } from '../shared/slot-layout.ts';
import type { ToMain, ToWatchdog, WatchdogSettings } from '../shared/worker-protocol.ts';
import { createBlockProbe } from './blocked-loop/block-probe.ts';
import { systemClock } from './delivery/clock.ts';
import { createDelivery } from './delivery/delivery.ts';
import { openSourceMapper } from './source-maps/open-source-mapper.ts';
import { WatchLoop } from './watch-loop.ts';

const port = parentPort;
const settings = workerData as WatchdogSettings;
if (port === null) throw new Error('watchdog.js is the entry of a worker thread: it is started by @hangwatch/core');

const post = (message: ToMain): void => port.postMessage(message);
const delivery = createDelivery({
  collectors: settings.collectors,
  token: settings.token,
  spoolDir: settings.spoolDir,
  // A disk that hangs must hang a process of its own: this one's exit would wait for it.
  spoolProcess: fileURLToPath(new URL('./delivery/spool-process.js', import.meta.url)),
  instance: settings.instance,
  userAgent: `hangwatch/${settings.hangwatchVersion} node/${settings.nodeVersion.slice(1)}`,
  onProblem: ({ code, message }) =>
    post({ type: 'problem', code: `HANGWATCH_ERR_DELIVERY_${code.replaceAll('-', '_').toUpperCase()}`, message }),
});
const sources = openSourceMapper(
  settings,
  fileURLToPath(new URL('./source-maps/map-process.js', import.meta.url)),
  systemClock,
);
const loop = new WatchLoop({
  settings,
  monotonicMs: () => performance.now(),
  post,
  deliver: (dump) => delivery.send(dump),
  postNow: (dump) => delivery.postNow(dump),
  keepRecord: (dump) => delivery.keepRecord(dump),
  sources,
  blockProbe: createBlockProbe(
    settings,
    new Uint32Array(settings.header, 0, HEADER_CELLS),
    sources,
    () => delivery.mayHang,
  ),
});

async function tellCrash(message: Extract<ToWatchdog, { type: 'crash' }>): Promise<void> {
  const told = new Int32Array(settings.header);
  const beganMs = performance.now();
  try {
    await loop.crash(message);
    await delivery.close(message.deadlineMs - (performance.now() - beganMs));
    await loop.endQuietly();
  } finally {
    Atomics.store(told, kCrashTold, 1);
    Atomics.notify(told, kCrashTold);
  }
}

async function endQuietly(): Promise<void> {
  const told = new Int32Array(settings.header);
  try {
    await Promise.all([loop.endQuietly(), delivery.endQuietly()]);
  } finally {
    Atomics.store(told, kCrashTold, 1);
    Atomics.notify(told, kCrashTold);
  }
}

port.on('message', (message: ToWatchdog) => {
  if (message.type === 'crash') {
    void tellCrash(message);
    return;
  }
  if (message.type === 'quiet-end') {
    void endQuietly();
    return;
  }
  if (message.type !== 'stop') {
    loop.receive(message);
    return;
  }
  const stop = async () => {
    await loop.stop();
    await delivery.close(message.deadlineMs);
    await loop.endQuietly();
  };
  stop()
    .catch((error: unknown) =>
      post({ type: 'problem', code: 'HANGWATCH_ERR_INTERNAL', message: `stopping failed: ${messageOf(error)}` }),
    )
    .finally(() => {
      const { sent, dropped, stderrLost } = delivery.counters;
      post({ type: 'stopped', counters: { sent, dropped, stderrLost } });
      port.close();
    });
});
loop.start();
post({ type: 'ready' });

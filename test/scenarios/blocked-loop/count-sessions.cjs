// Loaded first in the watchdog's thread: counts its inspector sessions in memory that the main thread shares, and says how large its heap is.
const { Session } = require('node:inspector');
const { getHeapStatistics, setFlagsFromString } = require('node:v8');
const { runInNewContext } = require('node:vm');
const { workerData } = require('node:worker_threads');

const [CONNECTED, DISCONNECTED, MOST, PAUSED, ASKED, HEAP] = [0, 1, 2, 3, 4, 5];
const counts = new Int32Array(workerData.counts);
const { connectToMainThread, disconnect, emit } = Session.prototype;

Session.prototype.connectToMainThread = function () {
  connectToMainThread.call(this);
  const now = Atomics.add(counts, CONNECTED, 1) + 1 - Atomics.load(counts, DISCONNECTED);
  if (now > counts[MOST]) counts[MOST] = now;
};
Session.prototype.disconnect = function () {
  disconnect.call(this);
  Atomics.add(counts, DISCONNECTED, 1);
};
Session.prototype.emit = function (event, ...rest) {
  if (event === 'Debugger.paused') Atomics.add(counts, PAUSED, 1);
  return emit.call(this, event, ...rest);
};

setFlagsFromString('--expose-gc');
const gc = runInNewContext('gc');
setInterval(() => {
  if (Atomics.exchange(counts, ASKED, 0) === 0) return;
  gc();
  Atomics.store(counts, HEAP, getHeapStatistics().used_heap_size);
}, 20).unref();

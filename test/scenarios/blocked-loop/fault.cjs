// Loaded first in the watchdog's thread: at one point of the taking of a stack, something happens to it. `workerData.fault` says what and where,
// `workerData.cell` is shared with the main thread.
const { Session } = require('node:inspector');
const { workerData } = require('node:worker_threads');

const { point, does } = workerData.fault;
const cell = new Int32Array(workerData.cell);
const { post, emit } = Session.prototype;

const deeds = {
  exit: () => process.exit(),
  throw() {
    throw new Error(`${point} failed`);
  },
  // To the whole process, while its main thread is where it is.
  SIGTERM: () => process.kill(process.pid, 'SIGTERM'),
  tell: () => undefined,
};
function reached(name) {
  if (name !== point) return;
  Atomics.store(cell, 0, 1);
  deeds[does]?.();
}

Session.prototype.post = function (method, params, answer) {
  const told = (...result) => {
    if (point === `answer ${method}` && does === 'lose') {
      Atomics.store(cell, 0, 1);
      return;
    }
    answer?.(...result);
    reached(`answer ${method}`);
  };
  reached(`before ${method}`);
  post.call(this, method, params, told);
  reached(`after ${method}`);
};

Session.prototype.emit = function (event, ...rest) {
  if (event === 'Debugger.paused') {
    reached('paused');
    // As nobody expects it.
    if (point === 'paused' && does === 'garble') return emit.call(this, event, {});
  }
  return emit.call(this, event, ...rest);
};

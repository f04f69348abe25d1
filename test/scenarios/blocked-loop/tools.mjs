// Tools that have an inspector session of their own in the process, as those of APMs are.
import { Session } from 'node:inspector';
import { Worker } from 'node:worker_threads';

/** As tools do that read local variables of errors: they pause the thread wherever something is thrown, and let it go on. */
function exceptionsFromThread() {
  const tool = new Worker(
    `const { Session } = require('node:inspector');
    const session = new Session();
    session.connectToMainThread();
    session.on('Debugger.paused', ({ params }) => {
      if (params.reason === 'exception' || params.reason === 'promiseRejection') session.post('Debugger.resume');
    });
    session.post('Debugger.enable');
    session.post('Debugger.setPauseOnExceptions', { state: 'all' }, () => require('node:worker_threads').parentPort.postMessage('ready'));
    setInterval(() => undefined, 1_000);`,
    { eval: true },
  );
  return new Promise((resolve) => {
    tool.once('message', () => {
      tool.unref();
      resolve(() => ({}));
    });
  });
}

/** As those do that look now and then what a thread is at: they ask for a pause, read the stack, and let it go on. */
function pausesFromThread() {
  const counts = new Int32Array(new SharedArrayBuffer(8));
  const tool = new Worker(
    `const { Session } = require('node:inspector');
    const { parentPort, workerData: counts } = require('node:worker_threads');
    const session = new Session();
    session.connectToMainThread();
    session.on('Debugger.paused', () => {
      Atomics.add(counts, 1, 1);
      session.post('Debugger.resume');
    });
    session.post('Debugger.enable', () => parentPort.postMessage('ready'));
    setInterval(() => session.post('Debugger.pause', () => Atomics.add(counts, 0, 1)), 20);`,
    { eval: true, workerData: counts },
  );
  return new Promise((resolve) => {
    tool.once('message', () => {
      tool.unref();
      resolve(() => ({ asked: counts[0], pauses: counts[1] }));
    });
  });
}

/** One that nobody holds would be collected, and with it what it does. */
const kept = [];
const own = () => {
  const session = new Session();
  session.connect();
  kept.push(session);
  return session;
};
const counting = () => {
  const session = own();
  const seen = { exceptions: 0, pauses: 0 };
  session.on('Debugger.paused', ({ params }) => {
    if (params.reason === 'exception') seen.exceptions += 1;
    else seen.pauses += 1;
  });
  session.post('Debugger.enable');
  session.post('Debugger.setPauseOnExceptions', { state: 'all' });
  return { session, seen };
};

/** By name: each starts, and resolves with what tells how it has fared. */
export const tools = {
  exceptionsFromThread,
  pausesFromThread,

  /** In the thread that it watches, where nothing has to be resumed. */
  exceptions() {
    const { seen } = counting();
    return () => seen;
  },

  /** The same, and it resumes. */
  exceptionsResumed() {
    const { session, seen } = counting();
    session.on('Debugger.paused', () => session.post('Debugger.resume'));
    return () => seen;
  },

  profiler() {
    const session = own();
    session.post('Profiler.enable');
    session.post('Profiler.start');
    return () => {
      let functions = [];
      session.post('Profiler.stop', (_error, result) => {
        functions = result.profile.nodes.map(({ callFrame }) => callFrame.functionName);
      });
      return { functions: [...new Set(functions)] };
    };
  },
};

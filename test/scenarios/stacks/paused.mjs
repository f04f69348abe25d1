// While the event loop is blocked, a worker pauses this thread and evaluates the collection on the call frame that is stuck.
import { Session } from 'node:inspector';
import { isMainThread, parentPort, Worker } from 'node:worker_threads';

if (isMainThread) {
  const { begin, check, collect, marksOf, never, print, tracker } = await import('./harness.mjs');
  const { fileURLToPath } = await import('node:url');
  const marks = marksOf(fileURLToPath(import.meta.url));
  const context = begin(async function handler() {
    await null;
    /*@handler*/ await (async function query() {
      /*@query*/ await never();
    })();
  });
  await new Promise((resolve) => setTimeout(resolve, 20));
  globalThis.collectNow = () =>
    JSON.stringify(
      collect([context])
        .stacks.get(context)
        .map((stack) => [stack.own, stack.frames.map((frame) => [frame.function, frame.line, frame.column])]),
    );
  const worker = new Worker(new URL(import.meta.url));
  const answers = [];
  // Not 'online': the worker still needs this thread to load its modules.
  await new Promise((resolve) => worker.once('message', resolve));
  worker.on('message', (message) => answers.push(message));
  const blocked = new Int32Array(new SharedArrayBuffer(4));
  const stop = Date.now() + 30_000;
  worker.postMessage(blocked);
  function busy() {
    while (Atomics.load(blocked, 0) === 0 && Date.now() < stop);
  }
  busy();
  while (answers.length === 0) await new Promise((resolve) => worker.once('message', resolve));
  check('the thread that was blocked', answers[0]?.top, 'busy');
  const position = (name) => [marks.get(name).line, marks.get(name).column];
  check('the awaits of its request, taken meanwhile', JSON.parse(answers[0]?.stacks ?? 'null'), [
    [
      true,
      [
        ['query', ...position('query')],
        ['handler', ...position('handler')],
      ],
    ],
  ]);
  check('nothing failed', tracker.stats.failures, 0);
  print();
} else {
  parentPort.postMessage('ready');
  parentPort.once('message', async (blocked) => {
    // A session doesn't keep a thread alive; and one that ends right after its session may abort the process (Node 20, a race of Node's own).
    setInterval(() => {}, 1000);
    const session = new Session();
    session.connectToMainThread();
    const post = (method, params) =>
      new Promise((resolve, reject) =>
        session.post(method, params, (error, result) => (error ? reject(error) : resolve(result))),
      );
    try {
      const paused = new Promise((resolve) =>
        session.once('Debugger.paused', ({ params }) => resolve(params.callFrames)),
      );
      await post('Debugger.enable');
      await post('Debugger.pause');
      const [top] = await paused;
      const { result } = await post('Debugger.evaluateOnCallFrame', {
        callFrameId: top.callFrameId,
        expression: 'globalThis.collectNow()',
        returnByValue: true,
      });
      parentPort.postMessage({ top: top.functionName, stacks: result.value });
    } finally {
      Atomics.store(blocked, 0, 1);
      await post('Debugger.resume').catch(() => {});
      session.disconnect();
    }
  });
}

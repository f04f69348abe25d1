import vm from 'node:vm';
import { probing } from './process-wide.ts';

/** A stack that V8 has taken and not yet formatted: call sites are made when `stack` is read. */
export interface CapturedStack {
  readonly stack?: unknown;
}

/** Structured call sites on demand, untouched by the application's intrinsics. */
export interface ProbeRealm {
  /** The suspended functions behind each promise, innermost first; [] where there are none. Synchronous. */
  walk(promises: readonly object[], limit: number): NodeJS.CallSite[][];
  /** The running stack below `above`, unformatted, some ten frames of it unless asked otherwise. */
  capture(above: (...args: never[]) => unknown, limit?: number): CapturedStack;
  /** The call sites of what `capture` returned. */
  sitesOf(captured: CapturedStack): NodeJS.CallSite[];
}

/** Frames of a captured stack; two of them may be Node's own promise-hook frames. */
const CAPTURED_FRAMES = 10;

/** V8 counts the frames of whoever asks before the asynchronous ones: room for a deep caller. */
const CALLER_FRAMES = 100;

/**
 * V8 builds `at async` frames by walking from the running microtask's derived promise through that promise's only reaction
 * (https://v8.dev/blog/fast-async#improved-developer-experience). So: a microtask of our own whose derived promise has one reaction,
 * and that reaction's derived promise is the one asked about.
 *
 * - The derived promise must be a plain one for V8 to start; it gets a prototype with another species afterwards. Setting its
 *   `constructor` instead would work too, and make every promise of the process slower for ever.
 * - The microtask returns a thenable that never calls back, so the derived promise never settles: the reaction never runs, no hook of
 *   anybody fires on the application's promise, and everything is garbage when the call ends.
 * - A realm of our own: its `Error` and `Promise` are as V8 made them, whatever the application did to its own. Its microtask queue is
 *   its own too, and is drained before `runInContext` returns.
 */
const source = `
const exchange = { promises: [], results: [], limit: 200 };
const go = (() => {
  const noop = () => {};
  const settled = Promise.resolve();
  const never = { then() {} };
  const { captureStackTrace } = Error;
  const { setPrototypeOf } = Object;
  let target;
  class Detour extends Promise {
    static get [Symbol.species]() {
      const promise = target;
      return function (executor) { executor(noop, noop); return promise; };
    }
  }
  Error.prepareStackTrace = (_, sites) => sites;
  return () => {
    const { promises, results, limit } = exchange;
    Error.stackTraceLimit = limit;
    for (let i = 0; i < promises.length; i++) {
      const derived = settled.then(function probe() {
        const holder = {};
        captureStackTrace(holder, probe);
        results[i] = holder.stack;
        return never;
      });
      setPrototypeOf(derived, Detour.prototype);
      target = promises[i];
      derived.then(noop, noop);
      target = undefined;
    }
  };
})();
const capture = (above, limit = ${CAPTURED_FRAMES}) => {
  const holder = {};
  Error.stackTraceLimit = limit;
  Error.captureStackTrace(holder, above);
  return holder;
};
({ exchange, capture });
`;

interface Exchange {
  promises: readonly object[];
  results: unknown[];
  limit: number;
}

/**
 * Makes a realm: 0.5 ms and 160 to 280 kB, once.
 *
 * @throws where the runtime has no such contexts
 */
export function createProbeRealm(): ProbeRealm {
  // Without a sandbox object the realm's globals need no interceptor; Node has it from 20.18 and 22.8.
  const plain: unknown = Reflect.get(vm.constants ?? {}, 'DONT_CONTEXTIFY');
  const context = vm.createContext((plain ?? {}) as vm.Context, {
    name: 'hangwatch probe',
    microtaskMode: 'afterEvaluate',
  });
  const { exchange, capture } = vm.runInContext(source, context, { filename: 'hangwatch:probe-realm' }) as {
    exchange: Exchange;
    capture: ProbeRealm['capture'];
  };
  const script = new vm.Script('go()', { filename: 'hangwatch:probe' });

  return {
    walk(promises, limit) {
      const results: unknown[] = [];
      exchange.promises = promises;
      exchange.results = results;
      exchange.limit = limit + CALLER_FRAMES;
      probing.depth += 1;
      try {
        script.runInContext(context);
      } finally {
        probing.depth -= 1;
        exchange.promises = [];
        exchange.results = [];
      }
      return promises.map((_, i) => asyncSites(results[i], limit));
    },
    capture,
    sitesOf: (captured) => (Array.isArray(captured.stack) ? (captured.stack as NodeJS.CallSite[]) : []),
  };
}

/** The frames before the first asynchronous one are those of whoever asked. */
function asyncSites(stack: unknown, limit: number): NodeJS.CallSite[] {
  if (!Array.isArray(stack)) return [];
  const sites = stack as AsyncCallSite[];
  const first = sites.findIndex((site) => site.isAsync());
  return first === -1 ? [] : sites.slice(first, first + limit);
}

interface AsyncCallSite extends NodeJS.CallSite {
  isAsync(): boolean;
}

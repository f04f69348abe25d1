import { inInspector } from './same-thread-inspector.ts';
import { toPath } from './script-origin.ts';

/** Where a function was written, in the JavaScript that runs. */
export interface FunctionLocation {
  /** Path of the file (plain, also for `file:` URLs). */
  readonly file: string;
  /** 1-based. */
  readonly line: number;
  /** 1-based: where V8 has a function begin, at the parameters of a `function`, at the first character of an arrow function or a class. */
  readonly column: number;
}

type AnyFunction = (...args: never[]) => unknown;

// The value is null where there is no location: asking again would cost as much.
const known = new WeakMap<AnyFunction, FunctionLocation | null>();
const urls = new Map<string, string>();
const MAX_URLS = 20_000;

/**
 * Where `fn` was written; undefined for bound and native functions, Node's own, and where the runtime has no inspector.
 * About 0.5 ms, and once for scripts not seen before 4 ms (60 ms with 5,000 scripts); remembered for each function. To ask for many, ask
 * `functionLocations`, which does it in one go.
 *
 * @example
 * console.log(functionLocation(handler)); // { file: '/app/routes.js', line: 12, column: 23 }
 */
export function functionLocation(fn: AnyFunction): FunctionLocation | undefined {
  return functionLocations([fn])[0];
}

/**
 * Where each function was written: one inspector session for all of them, connected for the call alone. The debugger isn't enabled, which
 * would take four times as long as asking for the scripts' names, and slow the process down.
 *
 * @example
 * const [first, second] = functionLocations(app.layers.map((layer) => layer.handle));
 */
export function functionLocations(fns: readonly AnyFunction[]): (FunctionLocation | undefined)[] {
  const missing = [...new Set(fns)].filter((fn) => typeof fn === 'function' && !known.has(fn));
  if (missing.length > 0) look(missing);
  return fns.map((fn) => (typeof fn === 'function' ? (known.get(fn) ?? undefined) : undefined));
}

interface RawLocation {
  scriptId: string;
  lineNumber: number;
  columnNumber?: number;
}

interface Property {
  name: string;
  value?: { objectId?: string; value?: unknown };
}

type Post = (method: string, params?: object) => unknown;

const exchangeKey = 'hangwatch.inspected';

function look(fns: readonly AnyFunction[]): void {
  const raw = inInspector((post) => {
    const locations = rawLocations(post, fns);
    if (locations.some((location) => location !== undefined && !urls.has(location.scriptId))) readUrls(post);
    return locations;
  });
  fns.forEach((fn, i) => {
    const location = raw?.[i];
    const url = location === undefined ? undefined : urls.get(location.scriptId);
    known.set(fn, location === undefined || url === undefined || url === '' ? null : located(url, location));
  });
}

function located(url: string, { lineNumber, columnNumber = 0 }: RawLocation): FunctionLocation {
  return { file: toPath(url), line: lineNumber + 1, column: columnNumber + 1 };
}

/** The inspector reaches objects through expressions: the functions are on the global object while it is asked. */
function rawLocations(post: Post, fns: readonly AnyFunction[]): (RawLocation | undefined)[] {
  const key = Symbol.for(exchangeKey);
  if (!Reflect.defineProperty(globalThis, key, { value: fns, configurable: true, enumerable: false })) return [];
  try {
    const objectGroup = exchangeKey;
    const expression = `globalThis[Symbol.for('${exchangeKey}')]`;
    const { result } = post('Runtime.evaluate', { expression, objectGroup, silent: true }) as {
      result: { objectId?: string };
    };
    const elements = propertiesOf(post, result.objectId).own.filter((x) => /^\d+$/.test(x.name));
    const locations = elements.map((element) => {
      const location = propertiesOf(post, element.value?.objectId).internal.find(
        (x) => x.name === '[[FunctionLocation]]',
      );
      return location?.value?.value as RawLocation | undefined;
    });
    post('Runtime.releaseObjectGroup', { objectGroup });
    return locations;
  } finally {
    Reflect.deleteProperty(globalThis, key);
  }
}

function propertiesOf(post: Post, objectId: string | undefined): { own: Property[]; internal: Property[] } {
  if (objectId === undefined) return { own: [], internal: [] };
  const answer = post('Runtime.getProperties', { objectId, ownProperties: true }) as {
    result?: Property[];
    internalProperties?: Property[];
  };
  return { own: answer.result ?? [], internal: answer.internalProperties ?? [] };
}

/** Best-effort coverage lists every script with its name and counts nothing: 40 ms where `Debugger.enable` takes 250. */
function readUrls(post: Post): void {
  post('Profiler.enable');
  const coverage = post('Profiler.getBestEffortCoverage') as { result: { scriptId: string; url: string }[] };
  post('Profiler.disable');
  if (urls.size > MAX_URLS) urls.clear();
  for (const { scriptId, url } of coverage.result) urls.set(scriptId, url);
}

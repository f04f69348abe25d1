import type { FrameKind, ScriptOrigin } from './script-origin.ts';

/** One frame of a stack: a function and the position in it, in the JavaScript that runs. */
export interface CallSite {
  /** Name of the function; `(anonymous)` where it has none, `Promise.all` and the like for V8's own. */
  readonly function: string;
  /** Path of the file (plain, also for `file:` URLs), `node:…` for Node's own modules, `<builtin>` for V8's. */
  readonly file: string;
  /** 1-based; 0 where there is none. */
  readonly line: number;
  /** 1-based; 0 where there is none. */
  readonly column: number;
  /** Whether the function is suspended in an `await` here. */
  readonly async: boolean;
  /** Whose code it is. */
  readonly kind: FrameKind;
  /** Which of the promises given to `Promise.all`, `any` or `allSettled`, from 0. */
  readonly promiseIndex?: number;
  /** Class of the object that a method was called on, where it says something. */
  readonly typeName?: string;
}

interface V8CallSite extends NodeJS.CallSite {
  isAsync(): boolean;
  getPromiseIndex(): number | null;
  getScriptNameOrSourceURL(): string | null;
}

const COMBINATORS = new Set(['all', 'any', 'allSettled']);
/** What a frame of a module's own code, outside any function, is called. */
export const TOP_LEVEL = '(top level)';
const UNTELLING_TYPES = new Set(['Object', 'Function']);

/** Turns V8's call sites into ours. Equal frames come out as the same object, so that stacks can be compared by identity. */
export class CallSites {
  readonly #originOf: (script: string | null | undefined) => ScriptOrigin;
  readonly #known = new Map<string, CallSite>();

  constructor(originOf: (script: string | null | undefined) => ScriptOrigin) {
    this.#originOf = originOf;
  }

  /** @param async overrides what V8 says: the innermost frame of a stack taken as an await begins is suspended a moment later */
  of(site: NodeJS.CallSite, async = (site as V8CallSite).isAsync()): CallSite {
    const v8 = site as V8CallSite;
    const origin = this.#originOf(v8.getFileName() ?? scriptOfEval(v8));
    const line = v8.getLineNumber() ?? 0;
    const column = v8.getColumnNumber() ?? 0;
    const called = v8.getFunctionName() ?? (async && isTopLevel(v8) ? TOP_LEVEL : '(anonymous)');
    const isCombinator = line === 0 && COMBINATORS.has(called);
    const name = isCombinator ? `Promise.${called}` : called;
    const index = v8.getPromiseIndex();
    const key = keyOf(origin.file, line, column, name, index, async);
    const known = this.#known.get(key);
    if (known !== undefined) return known;
    const made = isCombinator ? combinator(name, index) : frame(v8, origin, name, line, column, async);
    this.#known.set(key, made);
    return made;
  }

  /** The frame of this collection that equals one of another. */
  same(site: CallSite): CallSite {
    const key = keyOf(site.file, site.line, site.column, site.function, site.promiseIndex ?? null, site.async);
    const known = this.#known.get(key);
    if (known === undefined) this.#known.set(key, site);
    return known ?? site;
  }

  all(sites: readonly NodeJS.CallSite[]): CallSite[] {
    // Not `map`: the list is of the probe's realm, and so would the result be, an array that is no `instanceof Array`.
    const frames: CallSite[] = [];
    for (const site of sites) frames.push(this.of(site));
    return frames;
  }
}

/** A module's code is a function that begins where the file does; none that is written in it does, and is called. */
function isTopLevel(site: V8CallSite): boolean {
  return site.getEnclosingLineNumber() === 1 && site.getEnclosingColumnNumber() === 1;
}

function keyOf(file: string, line: number, column: number, name: string, index: number | null, async: boolean): string {
  return `${file}:${line}:${column}:${name}:${index}:${async}`;
}

function frame(
  v8: V8CallSite,
  origin: ScriptOrigin,
  name: string,
  line: number,
  column: number,
  async: boolean,
): CallSite {
  const { file, kind } = origin;
  const base: CallSite = { function: name, file, line, column, async, kind };
  const typeName = v8.isToplevel() ? null : v8.getTypeName();
  return typeName === null || UNTELLING_TYPES.has(typeName) ? base : { ...base, typeName };
}

function combinator(name: string, index: number | null): CallSite {
  const base: CallSite = { function: name, file: '<builtin>', line: 0, column: 0, async: true, kind: 'node' };
  return index === null ? base : { ...base, promiseIndex: index };
}

/** Code made by `eval` or `new Function` has no file, at most a `//# sourceURL`. */
function scriptOfEval(site: V8CallSite): string | null {
  return site.isEval() ? (site.getScriptNameOrSourceURL() ?? '<eval>') : null;
}

/** Two frames of the same function, wherever in it. */
export function functionKey(site: CallSite): string {
  return `${site.function}|${site.file}`;
}

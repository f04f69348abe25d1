import { setImmediate as turn } from 'node:timers/promises';
import { AwaitContext, outside } from './await-context.ts';
import type { AwaitTracker } from './await-tracker.ts';
import { type CallSite, TOP_LEVEL } from './call-site.ts';
import { frameWalker } from './frame-walker.ts';

/** Turns of the event loop that the import may take: on an idle machine it takes two or three. */
const MOST_TURNS = 500;
const LOADER = /^node:internal\/modules\/esm\//;
const gateKey = Symbol.for('hangwatch.import-gate');

/**
 * What one `import()` of a module that is being evaluated leaves among the awaits of its importer, beside the importer's own: other in each version of
 * Node, and in none of them documented.
 */
export interface ImportPattern {
  /** Where the loader waits for the module to be evaluated, innermost first: that promise is the same for all who import the module. */
  readonly waiting: readonly string[];
  /** How many more awaits there are that show the importer's frames: promises of the loader's that are resolved with one another. */
  readonly extras: number;
}

let pattern: ImportPattern | undefined;
let learning: Promise<void> | undefined;

/** `undefined` until it is learnt, and where it could not be. */
export const importPattern = (): ImportPattern | undefined => pattern;

/**
 * Learns the pattern by importing a tiny module that waits: some milliseconds, once a thread, in no context of anybody's. Where it cannot be learnt
 * (a loader of the application's in the way), imports are not explained. Never rejects.
 */
export function learnImports(tracker: AwaitTracker): Promise<void> {
  learning ??= tracker.runOutside(learn, tracker).catch(() => undefined);
  return learning;
}

async function learn(tracker: AwaitTracker): Promise<void> {
  let open: (() => void) | undefined;
  const gate = new Promise<void>((resolve) => {
    open = resolve;
  });
  const context = new AwaitContext(new Uint32Array(1), 0);
  Object.defineProperty(globalThis, gateKey, { value: gate, configurable: true });
  try {
    tracker.run(context, () => void importer());
    for (let i = 0; i < MOST_TURNS && !waitsFor(context, gate); i++) await turn();
    pattern = waitsFor(context, gate) ? read(context, gate) : undefined;
  } finally {
    Reflect.deleteProperty(globalThis, gateKey);
    context.release();
    open?.();
  }
}

/** Not a literal: a bundler would take the module into the bundle, where no loader is at work. */
const waitingModule = `data:text/javascript,await globalThis[Symbol.for('hangwatch.import-gate')]`;

/** Waits alone: whoever waited for it would leave an await of their own. */
async function importer(): Promise<void> {
  try {
    await import(/* webpackIgnore: true */ /* @vite-ignore */ waitingModule);
  } catch {
    // A loader that has no such modules: then there is nothing to be learnt.
    return;
  }
}

function waitsFor(context: AwaitContext, gate: object): boolean {
  for (let node = context.oldest; node !== null; node = node.newer) if (node.promise === gate) return true;
  return false;
}

/** One await of the loader is followed by those further out, each with the frames that are left; the module's own promise shows none. */
function read(context: AwaitContext, gate: object): ImportPattern | undefined {
  const walker = frameWalker();
  if (walker === undefined || context === outside) return undefined;
  const callSites = walker.callSites();
  const stacks: CallSite[][] = [];
  for (let node = context.oldest; node !== null; node = node.newer) {
    if (node.promise !== null && node.promise !== gate) stacks.push(walker.walk(node.promise, undefined, callSites));
  }
  const [longest] = [...stacks].sort((a, b) => b.length - a.length);
  const outermost = longest?.at(-1);
  if (longest === undefined || outermost === undefined || outermost.function === TOP_LEVEL) return undefined;
  const loader = longest.slice(0, -1);
  const counts = { evaluation: 0, loader: 0, importer: 0, module: 0 };
  for (const frames of stacks) {
    if (frames.length === 0) counts.module += 1;
    else if (isEqual(frames, longest)) counts.evaluation += 1;
    else if (isEqual(frames, longest.slice(1))) counts[frames.length === 1 ? 'importer' : 'loader'] += 1;
    else if (isEqual(frames, [outermost])) counts.importer += 1;
    else return undefined;
  }
  const understood =
    loader.length >= 2 &&
    loader.every(({ file }) => LOADER.test(file)) &&
    counts.evaluation === 1 &&
    counts.loader === 1 &&
    counts.module === 1 &&
    counts.importer >= 1 &&
    // One await a frame of the loader: with more frames, some would have been seen above and not understood.
    loader.length === 2;
  return understood ? { waiting: loader.map(positionOf), extras: counts.importer - 1 } : undefined;
}

const isEqual = (a: readonly CallSite[], b: readonly CallSite[]): boolean =>
  a.length === b.length && a.every((frame, i) => frame === b[i]);

/** Where a frame is. */
export const positionOf = ({ file, line, column }: CallSite): string => `${file}:${line}:${column}`;
